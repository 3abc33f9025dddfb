"""What the Python tests share: servers, certificates, job files, ringpost run as a user would."""
