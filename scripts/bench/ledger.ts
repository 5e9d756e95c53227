/** What was promised to the generator, held against the database and against what the live members saw. */
import pg from 'pg'
import type { Listener } from './load/listener.ts'
import type { Group } from './world.ts'

export interface Verdict {
  acknowledged: number
  /** Acknowledged, but not stored as acknowledged. */
  lost: number
  /** Stored more than once. */
  doubled: number
  /** Numbers of messages that are missing or taken twice. */
  holes: number
  deliveries: number
  undelivered: number
  deliveredTwice: number
  disordered: number
}

export interface Audience {
  group: Group
  listener: Listener
}

export const emptyVerdict: Verdict = {
  acknowledged: 0,
  lost: 0,
  doubled: 0,
  holes: 0,
  deliveries: 0,
  undelivered: 0,
  deliveredTwice: 0,
  disordered: 0,
}

export const isClean = ({ lost, doubled, holes, undelivered, deliveredTwice, disordered }: Verdict): boolean =>
  lost + doubled + holes + undelivered + deliveredTwice + disordered === 0

export const addVerdicts = (a: Verdict, b: Verdict): Verdict => ({
  acknowledged: a.acknowledged + b.acknowledged,
  lost: a.lost + b.lost,
  doubled: a.doubled + b.doubled,
  holes: a.holes + b.holes,
  deliveries: a.deliveries + b.deliveries,
  undelivered: a.undelivered + b.undelivered,
  deliveredTwice: a.deliveredTwice + b.deliveredTwice,
  disordered: a.disordered + b.disordered,
})

export function createLedger() {
  const clientIds: string[] = []
  const messageIds: string[] = []

  return {
    get acknowledged(): number {
      return clientIds.length
    },

    acknowledge(clientId: string, messageId: string): void {
      clientIds.push(clientId)
      messageIds.push(messageId)
    },

    /** @param audience whoever was live from before the first message on. */
    async verify(databaseUrl: string, groups: readonly Group[], audience: readonly Audience[]): Promise<Verdict> {
      const client = new pg.Client({ connectionString: databaseUrl })
      await client.connect()
      try {
        const ids = groups.map(({ id }) => id)
        const { rows: lost } = await client.query<{ count: string }>(lostStatement, [clientIds, messageIds])
        const { rows: doubled } = await client.query<{ count: string }>(doubledStatement, [ids])
        const { rows: heads } = await client.query<Head>(headsStatement, [ids])
        return {
          acknowledged: clientIds.length,
          lost: Number(lost[0]?.count),
          doubled: Number(doubled[0]?.count),
          holes: heads.reduce((sum, { holes }) => sum + Number(holes), 0),
          ...judgeDeliveries(audience, new Map(heads.map(({ id, changeSeq }) => [id, Number(changeSeq)]))),
        }
      } finally {
        await client.end()
      }
    },
  }
}

export type Ledger = ReturnType<typeof createLedger>

interface Head {
  id: string
  changeSeq: string
  holes: string
}

function judgeDeliveries(audience: readonly Audience[], heads: ReadonlyMap<string, number>) {
  const verdict = { deliveries: 0, undelivered: 0, deliveredTwice: 0, disordered: 0 }
  for (const { group, listener } of audience) {
    const head = heads.get(group.id) ?? 0
    verdict.deliveries += head - group.changeSeq
    verdict.undelivered += listener.order.lost(head)
    verdict.deliveredTwice += listener.order.doubled
    verdict.disordered += listener.order.disordered
  }
  return verdict
}

const lostStatement = `
  select count(*) from unnest($1::text[], $2::uuid[]) a (client_id, id)
  where not exists (select from messages m where m.id = a.id and m.client_id = a.client_id)`

const doubledStatement = 'select count(*) - count(distinct client_id) as count from messages where conversation_id = any($1::uuid[])'

const headsStatement = `
  select c.id, c.last_change_seq as "changeSeq",
    abs(c.last_seq - count(m.seq)) + abs(c.last_seq - coalesce(max(m.seq), 0)) + count(m.seq) - count(distinct m.seq) as holes
  from conversations c left join messages m on m.conversation_id = c.id
  where c.id = any($1::uuid[]) group by c.id`
