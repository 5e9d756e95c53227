/**
 * What happened, told inside this process. A service publishes after its commit and before its promise resolves; whoever serves
 * live clients (the socket gateway is the first, not the only one) subscribes. Changes are numbered by their conversation, so a
 * listener that sees a jump, or hears `stale`, reads from the database what it missed: no promise rests on this delivery.
 */
import type { ReplyTo } from '../openapi/messages/schemas.ts'
import type { ConversationId, UserId } from '../openapi/shared/ids.ts'
import type { PresenceStatus } from '../openapi/users/schemas.ts'
import type { CredentialId } from './actor.ts'
import type { ConversationRow, MemberRow, SeqRange } from './db/schema/conversations.ts'
import type { MessageRow } from './db/schema/messages.ts'
import type { UserSummaryRow } from './db/schema/users.ts'
import type { Log } from './log.ts'

/** A member together with what others may see of the user; what is marked one by one stands elsewhere, for it may be much. */
export type MemberEntity = Omit<MemberRow, 'readRanges'> & { user: UserSummaryRow }

/** A message together with what it shows of the one that it answers. */
export type MessageEntity = MessageRow & { replyTo: ReplyTo | null }

interface Numbered<Type extends string> {
  type: Type
  conversationId: ConversationId
  changeSeq: number
}

/** A numbered change of a conversation, with the state that it led to. */
export type Change =
  | (Numbered<'message.created' | 'message.updated' | 'message.deleted'> & { message: MessageEntity })
  | (Numbered<'conversation.updated'> & { conversation: ConversationRow })
  | (Numbered<'member.joined' | 'member.updated'> & { member: MemberEntity })
  | (Numbered<'member.left'> & { userId: UserId })
  | (Numbered<'read'> & { userId: UserId; readSeq: number; readRanges: SeqRange[] })
  | (Numbered<'delivered'> & { userId: UserId; deliveredSeq: number })
  | (Numbered<'membership.updated'> & { userId: UserId; muted: boolean; pinned: boolean })

export interface Typing {
  type: 'typing'
  conversationId: ConversationId
  userId: UserId
  typing: boolean
}

/** What somebody signed in with is worth nothing from now on: a session with all its tokens, or an API key; or what a key may do has changed, and its bearer is to ask again. */
export interface CredentialRevoked {
  type: 'credential.revoked'
  credentialId: CredentialId
}

/** For whoever serves a user: a conversation to follow from `afterChangeSeq` on; told before the changes are. It ends with the `member.left` of that user. */
export interface ConversationJoined {
  type: 'conversation.joined'
  conversationId: ConversationId
  afterChangeSeq: number
  /** Messages before this one are not for this member. */
  firstSeq: number
}

export interface PresenceEntity {
  userId: UserId
  status: PresenceStatus
  /** When a socket was open last; null if never, or not for the viewer to see. */
  lastSeen: Date | null
}

/** For whoever serves a user: somebody whom the user may see came, went, or is shown as something else. The same object for all who are told. */
export interface PresenceChanged {
  type: 'presence.changed'
  presence: PresenceEntity
}

/** For whoever serves a user: a message mentions them. Beside the change of the conversation, which may come before or after it. */
export interface Mentioned {
  type: 'message.mentioned'
  message: MessageEntity
}

/** A change that is not told itself, for it was too large to be carried here, or who tells it does not know it whole: whoever follows the conversation reads it. */
export interface Advanced {
  type: 'advanced'
  conversationId: ConversationId
  changeSeq: number
}

export interface TopicEvents {
  conversation: { id: ConversationId; event: Change | Typing | Advanced }
  user: { id: UserId; event: ConversationJoined | PresenceChanged | Mentioned }
  credential: { id: CredentialId; event: CredentialRevoked }
}

export type Kind = keyof TopicEvents
type Listener<K extends Kind> = (event: TopicEvents[K]['event']) => void

type Carry = <K extends Kind>(kind: K, id: TopicEvents[K]['id'], event: TopicEvents[K]['event']) => void

export type Topics = ReturnType<typeof createTopics>

export function createTopics({ log }: { log: Pick<Log, 'error'> }) {
  const listeners: { [K in Kind]: Map<string, Set<Listener<K>>> } = { conversation: new Map(), user: new Map(), credential: new Map() }
  const staleListeners = new Set<() => void>()
  let carry: Carry | undefined

  /** What is told has happened already: a listener that fails can neither undo it nor keep it from the others. */
  const tell = (listener: () => void): void => {
    try {
      listener()
    } catch (error) {
      log.error({ err: error }, 'A listener failed')
    }
  }

  const deliver = <K extends Kind>(kind: K, id: TopicEvents[K]['id'], event: TopicEvents[K]['event']): void => {
    const topic: Set<Listener<K>> | undefined = listeners[kind].get(id)
    if (topic) for (const listener of topic) tell(() => listener(event))
  }

  return {
    /** What happened in this process. */
    publish<K extends Kind>(kind: K, id: TopicEvents[K]['id'], event: TopicEvents[K]['event']): void {
      deliver(kind, id, event)
      carry?.(kind, id, event)
    },

    /** What happened in another process. */
    deliver,

    /** Whether anybody listens. */
    isHeard: (kind: Kind, id: string): boolean => listeners[kind].has(id),

    /** Has what is published told to other processes. */
    carryBy(carrier: Carry): void {
      carry = carrier
    },

    /** @returns the function that ends the subscription. */
    subscribe<K extends Kind>(kind: K, id: TopicEvents[K]['id'], listener: Listener<K>): () => void {
      const topics: Map<string, Set<Listener<K>>> = listeners[kind]
      const topic = topics.get(id) ?? new Set()
      topics.set(id, topic.add(listener))
      return () => {
        topic.delete(listener)
        if (topic.size === 0 && topics.get(id) === topic) topics.delete(id)
      }
    },

    /** Events may have been missed: whoever keeps a state of its own compares it with the database. */
    publishStale(): void {
      for (const listener of staleListeners) tell(listener)
    },

    onStale(listener: () => void): () => void {
      staleListeners.add(listener)
      return () => staleListeners.delete(listener)
    },
  }
}
