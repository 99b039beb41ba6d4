/*
 * Token requests between ECSs: TS 33.501 13.4.1.1.3, D-18, D-19, docs/decisions/0007.
 *
 * Three ECSs, two clients that ask at the same time, each at an ECS of its own choice, for an EES of any ECS or of none.
 * Where a request goes next is chosen anew at every hop: every partner table, also a wrong one, and one that changes
 * meanwhile. One ECS, or none, is wicked: it sends a request to whom it likes, whatever it has read of the way. What it
 * cannot do is forge the way itself, which is signed (THREATS FW-10).
 *
 * Checked by test/models/forwarding.test.ts:
 *   - no ECS handles a request twice: nothing goes in circles (FW-01),
 *   - a request costs MOST_HOPS messages between ECSs at most,
 *   - only the ECS that has the target grants,
 *   - every client is answered: otherwise it would wait in an invalid end state.
 */
#define ECSS 3
#define CLIENTS 2
#define NOBODY 3
#define MOST_HOPS 3

#define bit(ecs) (1 << (ecs))

mtype = { granted, refused }

/* the client, the ECS that has its target, the ECSs that have signed, the messages between ECSs until here */
chan inbox[ECSS] = [CLIENTS] of { byte, byte, byte, byte }
chan answers[CLIENTS] = [1] of { mtype, byte }

byte messages[CLIENTS]
byte handled[CLIENTS]
byte wicked = NOBODY

inline choose(ecs, most)
{
  if
  :: ecs = 0
  :: ecs = 1
  :: ecs = 2
  :: most == NOBODY -> ecs = NOBODY
  fi
}

proctype Client(byte me)
{
  byte home, target, signer
  mtype answer

  choose(home, ECSS - 1)
  choose(target, NOBODY)
  inbox[home] ! me, target, 0, 0
  answers[me] ? answer, signer
  assert(answer == refused || signer == target)
}

proctype Ecs(byte me)
{
  byte client, target, visited, hops, next

end:
  do
  :: inbox[me] ? client, target, visited, hops ->
    if
#ifndef BLIND
    :: (visited & bit(me)) || hops > MOST_HOPS -> answers[client] ! refused, me
#endif
    :: else ->
      assert(!(handled[client] & bit(me)))
      handled[client] = handled[client] | bit(me)
      if
      :: target == me -> answers[client] ! granted, me
      :: else ->
        choose(next, NOBODY)
        if
        :: next == NOBODY || next == me -> answers[client] ! refused, me
#ifndef BLIND
        :: next != NOBODY && next != me && wicked != me && ((visited & bit(next)) || hops >= MOST_HOPS) ->
          answers[client] ! refused, me
#endif
        :: else ->
          messages[client] = messages[client] + 1
          assert(messages[client] <= MOST_HOPS)
          inbox[next] ! client, target, visited | bit(me), hops + 1
        fi
      fi
    fi
  od
}

init
{
  byte each

  choose(wicked, NOBODY)
  atomic {
    for (each : 0 .. ECSS - 1) { run Ecs(each) }
    for (each : 0 .. CLIENTS - 1) { run Client(each) }
  }
}
