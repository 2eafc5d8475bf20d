//! App passwords: whose they are, how many, and what ends them.

use postern::accounts::{AccountError, NewStaff};
use postern::gateway::SignInError;
use postern::mail::Origin;
use postern::secret::Secret;
use postern::store;

use super::{Clinic, JANE, address};

const PASSWORD: &str = "seven clover anvils hum";

#[tokio::test]
async fn an_app_password_is_one_accounts_and_goes_alone() {
    let clinic = Clinic::with(&[]).await;
    let (gateway, accounts) = (&clinic.gateway, &clinic.gateway.stations().accounts);
    let jane = address(JANE);
    accounts.set_password(&jane, &Secret::new(PASSWORD.to_owned())).await.unwrap();
    let make = async |name: &str| accounts.add_app_password(&jane, name, store::now()).await;
    let phone = make("phone").await.unwrap();
    let laptop = make(" laptop ").await.unwrap();
    let own = Secret::new(PASSWORD.to_owned());
    let mut passes = Vec::new();
    for password in [&own, &phone, &laptop] {
        let (origin, pass) = gateway.sign_in(JANE, password).await.unwrap();
        assert!(matches!(origin, Origin::Staff { .. }));
        passes.push(pass);
    }
    // It is nobody else's, nor a name's that is not there.
    let bob = NewStaff {
        address: address("bob@clinic.example"),
        name: None,
        practice: None,
        groups: Vec::new(),
        delegated: Vec::new(),
        admin: false,
        initial: false,
    };
    accounts.add(bob, &own, store::now()).await.unwrap();
    let bobs = accounts.add_app_password(&address("bob@clinic.example"), "phone", store::now()).await.unwrap();
    gateway.sign_in("bob@clinic.example", &bobs).await.unwrap();
    for (name, password) in
        [("bob@clinic.example", &phone), (JANE, &bobs), ("nobody@clinic.example", &phone), ("no address", &phone)]
    {
        assert!(matches!(gateway.sign_in(name, password).await, Err(SignInError::Rejected)), "{name}");
    }
    let names = async || -> Vec<String> {
        accounts.app_passwords(&jane).await.unwrap().into_iter().map(|known| known.name).collect()
    };
    assert_eq!(names().await, ["phone", "laptop"]);
    accounts.remove_app_password(&jane, "phone").await.unwrap();
    assert_eq!(names().await, ["laptop"]);
    let mut stand = Vec::new();
    for pass in &passes {
        stand.push(gateway.stands(pass).await.unwrap());
    }
    assert_eq!(stand, [true, false, true]);
    assert!(matches!(gateway.sign_in(JANE, &phone).await, Err(SignInError::Rejected)));
    // An account that is disabled is so for all its programs, and they stay out when it is enabled by a new password.
    accounts.disable(&jane).await.unwrap();
    for password in [&own, &laptop] {
        assert!(matches!(gateway.sign_in(JANE, password).await, Err(SignInError::Rejected)));
    }
    assert!(!gateway.stands(&passes[0]).await.unwrap() && !gateway.stands(&passes[2]).await.unwrap());
    accounts.set_password(&jane, &own).await.unwrap();
    gateway.sign_in(JANE, &own).await.unwrap();
    assert!(matches!(gateway.sign_in(JANE, &laptop).await, Err(SignInError::Rejected)));
    assert_eq!(names().await, [""; 0]);
}

#[tokio::test]
async fn app_passwords_have_names_and_are_few() {
    let clinic = Clinic::with(&[]).await;
    let accounts = &clinic.gateway.stations().accounts;
    let (jane, nobody) = (address(JANE), address("nobody@clinic.example"));
    for name in ["", "  ", "a\nb", &"x".repeat(61)] {
        let made = accounts.add_app_password(&jane, name, store::now()).await;
        assert!(matches!(made, Err(AccountError::AppPasswordName)), "{name:?}");
    }
    for number in 0..20 {
        accounts.add_app_password(&jane, &number.to_string(), store::now()).await.unwrap();
    }
    let made = accounts.add_app_password(&jane, "7", store::now()).await;
    assert!(matches!(made, Err(AccountError::AppPasswordExists)));
    let made = accounts.add_app_password(&jane, "one more", store::now()).await;
    assert!(matches!(made, Err(AccountError::AppPasswords)));
    assert!(matches!(accounts.add_app_password(&nobody, "a", store::now()).await, Err(AccountError::Missing)));
    assert!(matches!(accounts.remove_app_password(&jane, "none").await, Err(AccountError::NoAppPassword)));
    accounts.remove_app_password(&jane, "7").await.unwrap();
    accounts.add_app_password(&jane, "one more", store::now()).await.unwrap();
}
