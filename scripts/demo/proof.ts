/** That nothing is lost, doubled or out of order is looked at from three sides: what the sender was promised, what arrived, what is stored. */
import type { Message } from '@parley/sdk'

export interface Finding {
  holds: boolean
  text: string
}

interface Evidence {
  /** What Alice sent, in her order. */
  sent: string[]
  /** What the server answered her, in the same order. */
  acknowledged: Message[]
  /** What Bob's application was told, in the order in which it was. */
  received: Message[]
  /** What a later read over REST returns, oldest first. */
  stored: Message[]
}

export function examine({ sent, acknowledged, received, stored }: Evidence): Finding[] {
  const first = acknowledged[0]?.seq ?? 0
  const total = sent.length
  const numbered = acknowledged.filter(({ seq, content }, index) => seq === first + index && content === sent[index]).length
  const once = new Set(received.map(({ id }) => id)).size
  return [
    finding(numbered, total, `acknowledged to Alice in the order in which she wrote them, as #${first} to #${first + total - 1}`),
    finding(once, total, 'arrived at Bob'),
    { holds: received.length === once, text: received.length === once ? 'none of them twice' : `${received.length - once} of them more than once` },
    matching(received, acknowledged, 'arrived in order, with the number and the words that Alice was promised'),
    matching(stored, acknowledged, 'are stored just so, as a read over REST shows'),
  ]
}

const finding = (count: number, total: number, text: string): Finding => ({ holds: count === total, text: `${count} of ${total} ${text}` })

/** Counts what is the same, up to the first that is not. */
function matching(actual: Message[], expected: Message[], text: string): Finding {
  const index = actual.findIndex((message, at) => !isSame(message, expected[at]))
  const count = index === -1 ? actual.length : index
  return { holds: index === -1 && count === expected.length, text: `${count} of ${expected.length} ${text}` }
}

const isSame = (a: Message, b: Message | undefined): boolean => a.id === b?.id && a.seq === b.seq && a.content === b.content
