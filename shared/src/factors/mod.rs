//! Second factors of a person's own: codes from an authenticator app (TOTP), and backup codes for when it is lost
//! (`docs/adr/0023-second-factors.md`).

mod backup_codes;
mod base32;
mod sealed;
mod totp;

pub use backup_codes::{BACKUP_CODES, BackupCode};
pub use sealed::{PendingTotp, SealedTotp, Totp};
pub use totp::{ISSUER, PENDING_SECONDS, SECRET_BYTES, STEP_SECONDS, TotpSecret};
