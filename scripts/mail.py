"""Writes a mail with files attached to standard output, as mail programs do it: what docs/measurements.md measures Base64 on.

    python3 scripts/mail.py default.docx verify.jpeg > mail.eml
"""

import mimetypes
import pathlib
import sys
from email.message import EmailMessage
from email.policy import SMTP

TEXT = """Dear all,

here is the report that we talked about, and a picture of the place.

Best wishes
"""


def main(paths):
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = "ada@example.org", "all@example.org", "The report"
    mail.set_content(TEXT)
    for path in map(pathlib.Path, paths):
        main_type, _, sub_type = (mimetypes.guess_type(path.name)[0] or "application/octet-stream").partition("/")
        mail.add_attachment(path.read_bytes(), maintype=main_type, subtype=sub_type, filename=path.name)
    # Else it would be another one each time.
    mail.set_boundary("==boundary==")
    sys.stdout.buffer.write(mail.as_bytes())


main(sys.argv[1:])
