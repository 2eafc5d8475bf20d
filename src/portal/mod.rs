//! The portal: HTTP, pages and forms; thin, between a browser and the gateway's use cases ([`crate::gateway::visits`]).
