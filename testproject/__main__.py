"""`python -m testproject`: serve the API on the backend that `TESTPROJECT_BACKEND` names."""

from testproject.service import service

if __name__ == "__main__":
    service.run()
