//! The command line: what an admin types, and what is printed back.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::id::{GrantId, QueueId};
use crate::mail::Address;

mod ask;
mod check;
mod demo;
mod explain;
mod first_start;
mod harden;
mod house;
mod invitation;
mod listeners;
mod print;
mod schema;
mod serve;
mod settings;
mod staff;

pub use demo::Shipped;

/// Postern: a secure mail gateway for clinics.
///
/// Staff send mail through it as they always did; attachments go into an encrypted vault, and recipients get a
/// link instead. What may leave, and how, stands in the files of the policies folder.
#[derive(Parser)]
#[command(name = "postern", version, about, long_about, max_term_width = 100)]
struct Cli {
    /// The configuration file.
    #[arg(long, global = true, default_value = "config.toml", value_name = "FILE", env = "POSTERN_CONFIG")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway. The first start makes keys, certificates and an admin account, and says so.
    Serve,
    /// Show the whole product on this computer: mail goes in, a browser walks the rest. Everything is removed at the end.
    Demo {
        /// End after the tour instead of waiting for Ctrl-C.
        #[arg(long)]
        once: bool,
    },
    /// Read configuration, policies and certificates, run the clinic's own policy tests, and show every fault.
    Check,
    /// Show which rule decides what for a message, per recipient. Nothing is sent and nothing is kept.
    Explain(ExplainArgs),
    /// Staff accounts: who may send through the gateway.
    #[command(subcommand)]
    Staff(StaffCommand),
    /// Mail that is waiting to be delivered.
    #[command(subcommand)]
    Queue(QueueCommand),
    /// Recipients' rights to documents.
    #[command(subcommand)]
    Grant(GrantCommand),
    /// Invitations: who was asked to register, and who has not yet.
    #[command(subcommand)]
    Invitation(invitation::InvitationCommand),
    /// The encrypted vault.
    #[command(subcommand)]
    Vault(VaultCommand),
    /// The clock that expiry and the destruction of keys go by.
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Print the JSON Schema of a kind of file, so that an editor completes and checks it.
    Schema {
        /// Which kind of file.
        #[arg(value_enum)]
        kind: schema::Kind,
    },
}

#[derive(Args)]
struct ExplainArgs {
    /// The sender, instead of the message's From.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<Address>,
    /// A recipient, instead of the message's To and Cc; may be given more than once.
    #[arg(long, value_name = "ADDRESS")]
    to: Vec<Address>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The message, as a file; `-` for standard input.
    #[arg(value_name = "MESSAGE.EML")]
    message: PathBuf,
}

#[derive(Subcommand)]
enum StaffCommand {
    /// Make an account. Without --password-stdin a password is made and printed once.
    Add(staff::AddArgs),
    /// List all accounts.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Give an account a new password; a disabled one is enabled by it.
    Passwd {
        /// Whose.
        address: Address,
        /// Read the password from standard input, one line.
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let nobody sign in with an account any more.
    Disable {
        /// Whose.
        address: Address,
    },
    /// Passwords of an account for single mail programs: a lost phone is shut out by removing its own.
    #[command(subcommand)]
    AppPassword(AppPasswordCommand),
}

#[derive(Subcommand)]
enum AppPasswordCommand {
    /// Make one, and print it once.
    Add {
        /// Whose.
        address: Address,
        /// What it is for, such as "Jane's phone".
        name: String,
    },
    /// List those of an account.
    List {
        /// Whose.
        address: Address,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End one, and what signed in with it.
    Remove {
        /// Whose.
        address: Address,
        /// Its name.
        name: String,
    },
}

#[derive(Subcommand)]
enum QueueCommand {
    /// List what is waiting: ids, times and causes, no addresses.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one entry with its envelope.
    Show {
        /// Its id, as `queue list` shows it.
        id: QueueId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum GrantCommand {
    /// List all rights, newest last.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take a right back at once. It stays revoked.
    Revoke {
        /// Its id, as `grant list` shows it.
        id: GrantId,
    },
}

#[derive(Subcommand)]
enum VaultCommand {
    /// Read every living document to its end and say what is damaged. Exit status 1 if anything is.
    Verify {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum ClockCommand {
    /// Take the clock as it is after a jump of more than an hour, so that expiry goes on.
    Accept,
}

/// Runs the command that was typed; `shipped` are the policy files that come with the program. Exit status 0 where it was done, 1 where it was not, 2 where it was not
/// understood.
pub fn run(shipped: Shipped) -> ExitCode {
    let cli = Cli::parse();
    if let Err(refused) = harden::harden() {
        eprintln!("postern: note: {refused}");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return print::failure(&format!("cannot start: {error}")),
    };
    let result = runtime.block_on(dispatch(cli, shipped));
    runtime.shutdown_timeout(std::time::Duration::from_secs(5));
    match result {
        Ok(code) => code,
        Err(sentence) => print::failure(&sentence),
    }
}

/// What a command came to; the error is a sentence for the admin, with the remedy.
type Done = Result<ExitCode, String>;

async fn dispatch(cli: Cli, shipped: Shipped) -> Done {
    let config = cli.config.as_path();
    match cli.command {
        Command::Serve => serve::serve(config).await,
        Command::Demo { once } => demo::demo(shipped, once).await,
        Command::Check => check::check(config),
        Command::Explain(args) => explain::explain(config, args).await,
        Command::Staff(command) => staff::staff(config, command).await,
        Command::Queue(QueueCommand::List { json }) => ask::queue_list(config, json).await,
        Command::Queue(QueueCommand::Show { id, json }) => ask::queue_show(config, id, json).await,
        Command::Grant(GrantCommand::List { json }) => ask::grant_list(config, json).await,
        Command::Grant(GrantCommand::Revoke { id }) => ask::grant_revoke(config, id).await,
        Command::Invitation(command) => invitation::invitation(config, command).await,
        Command::Vault(VaultCommand::Verify { json }) => ask::vault_verify(config, json).await,
        Command::Clock(ClockCommand::Accept) => ask::clock_accept(config).await,
        Command::Schema { kind } => schema::schema(kind),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
