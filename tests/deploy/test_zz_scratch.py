# the last sections alone, on a city that was started beside the runbook
import sys; sys.path.insert(0,'/work/main')
import tests.deploy.test_runbook as r, tests.deploy.city_hall as c, pytest, time
SKIP=("Start","Scale","Replace a worker","Change the layout","Rebuild","Back up and restore","Upgrade")
def test_tail(hall):
    (hall.machine.folder/'.env').write_text('NERACA_DB_PASSWORD=abc\n')
    hall.machine.up(); hall.machine.wait()
    hall.operator._left=[b for b in hall.operator._left if b[0] not in SKIP]
    with hall.counters: hall.counters.send(100)
    hall.city.proved()
    for f in (r.every_alarm_is_told,r.a_partition_stands_still,r.the_broker_is_lost,r.the_database_is_away,r.refused_and_parked):
        b=time.monotonic(); f(hall); print(f.__name__, round(time.monotonic()-b,1), file=sys.stderr, flush=True)
    hall.city.proved()
    assert hall.operator.left == []
hall=r.hall
