//! Where alerts go, as the command line says it. Declared once for all listeners.

use clap::Args;

/// Mails through a command: memmon, httpok and crashmail.
#[derive(Debug, Clone, Args)]
pub struct MailOptions {
    /// Command that sends a mail it is given on stdin, headers included
    #[arg(short, long = "sendmail_program", value_name = "COMMAND")]
    #[arg(default_value = "/usr/sbin/sendmail -t -i")]
    pub sendmail: String,

    /// Address to mail to; without it, nothing is mailed
    #[arg(short = 'm', long, value_name = "ADDRESS")]
    pub email: Option<String>,
}

impl MailOptions {
    /// The address. As in the original, an empty one is none.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        self.email.as_deref().filter(|address| !address.is_empty())
    }
}
