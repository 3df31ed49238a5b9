"""What can go wrong with the embedded services.

OperatorError
└── EmbeddedError
    ├── AlreadyRunning      another process holds this home
    ├── HomeUnusable        the folder cannot be written, or is another person's
    ├── OldDataFolder       the database was written by another major version of PostgreSQL
    ├── ServiceNotStarted   a service ended or stayed silent; carries the end of its log
    └── Unsupported         no binaries for this machine, or no way to run them as this user
"""

from app.errors import OperatorError


class EmbeddedError(OperatorError):
    code = "embedded_services"


class AlreadyRunning(EmbeddedError):
    code = "already_running"


class HomeUnusable(EmbeddedError):
    code = "home_unusable"


class OldDataFolder(EmbeddedError):
    code = "old_data_folder"


class ServiceNotStarted(EmbeddedError):
    code = "service_not_started"


class Unsupported(EmbeddedError):
    code = "embedded_unsupported"
