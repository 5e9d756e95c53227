import type { ParleyError } from '../errors.ts'
import type { Change, ConversationJoinedEvent, GoneEvent, MessageMentionedEvent, PresenceChangedEvent, TypingEvent } from '../generated/types.ts'

/**
 * Where the connection is.
 * - `connecting`: there is none; it is being opened, or waited for before the next try
 * - `open`: the socket is open, the server has not said hello yet
 * - `resuming`: there are changes that have not arrived yet
 * - `ready`: everything that is known to have happened has been emitted
 * - `closed`: for good, by `close()` or because you are signed out
 */
export type RealtimeState = 'connecting' | 'open' | 'resuming' | 'ready' | 'closed'

type Changes = { [C in Change as C['type']]: C }

/** What can be listened to, and what its listeners get. */
export interface RealtimeEvents extends Changes {
  /** Any change, before the event of its own type. */
  change: Change
  /** Of the moment: neither repeated nor resumed. It has ended when nothing else was said for `expiresInSeconds`. */
  typing: TypingEvent
  /** Of the moment, beside the `message.created` that brings it: somebody addresses you. */
  'message.mentioned': MessageMentionedEvent
  /** Of the moment: somebody came, went, or is shown as something else. */
  'presence.changed': PresenceChangedEvent
  /** Of the moment, while you have named what you want (`subscribe`): there is a new conversation of yours beside that. */
  'conversation.joined': ConversationJoinedEvent
  /** A conversation that was followed is not yours any more. */
  gone: GoneEvent
  /**
   * The server knows less of this conversation than was emitted here: its database was restored from a backup. What was emitted may be
   * gone or different, so load the conversation anew; what comes now is emitted as ever. `from` was the cursor, `to` is the server's number.
   */
  rewound: { type: 'rewound'; data: { conversationId: string; from: number; to: number } }
  /** The connection changed its state. */
  state: { type: 'state'; state: RealtimeState }
  /** The server does not accept the tokens any more and the connection is closed: sign in, then connect again. */
  signedOut: { type: 'signedOut'; error: ParleyError }
}

type AnyEvent = RealtimeEvents[keyof RealtimeEvents]

/** Its method takes any event, while a listener takes those of its type: `on` and `emit` bring together what fits. */
interface Listener {
  call(event: AnyEvent): unknown
}

export function createEmitter() {
  const listeners = new Map<string, Set<Listener>>()

  return {
    on<T extends keyof RealtimeEvents>(type: T, call: (event: RealtimeEvents[T]) => unknown): () => void {
      const listener: Listener = { call }
      const others = listeners.get(type) ?? new Set()
      listeners.set(type, others.add(listener))
      return () => others.delete(listener)
    },

    /** A listener that throws disturbs neither the others nor the connection: its error surfaces as an uncaught one. */
    emit(event: AnyEvent, type: string = event.type): void {
      for (const listener of listeners.get(type) ?? []) {
        try {
          listener.call(event)
        } catch (error) {
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
  }
}
