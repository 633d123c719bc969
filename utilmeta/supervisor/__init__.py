"""Keeps the serving processes of a service alive, reloads them and ends them without loss.

    python -m utilmeta.supervisor --bind 127.0.0.1:8000 --workers 2 -- uvicorn --fd {fd} server:app

It stands before any server and gives all of them one life cycle:

- It opens the listening socket, which outlives every process: while one of them is replaced,
  clients wait instead of being refused. `{fd}` in the command, and the variable `UTILMETA_FD`, are
  its number.
- A process that dies is replaced. One that dies before the service was ever ready ends the
  supervisor, with its status.
- SIGHUP starts new processes beside the old ones, which are told to end as soon as the new ones
  are ready; when the new ones fail, the old ones stay.
- SIGTERM and SIGINT turn readiness false (the file that `UTILMETA_DRAINING` names), wait for the
  grace period, and tell the processes to end; a second signal ends them at once.
- Should it be killed itself, the kernel tells its processes to end (Linux).

It knows neither Django nor the service, which tells it with a datagram when it is ready.
"""
