import { Type } from '@sinclair/typebox'
import { defineEvent, described, ref } from '../contract.ts'
import { conversationId } from '../messages/examples.ts'
import { ConversationId } from '../shared/ids.ts'
import { Count, Sequence } from '../shared/scalars.ts'
import { Positions } from './schemas.ts'

const hasMore = Type.Boolean({ description: 'Whether there are more: the next frame is `positions`, or the answer to `subscribe`' })

export const hello = defineEvent({
  type: 'hello',
  kind: 'signal',
  summary: 'The socket is subscribed',
  description:
    'The first frame. Live events follow from here on; whoever held cursors before compares them with `positions` and sends `resume` for those that are behind.',
  data: Type.Object({
    heartbeatSeconds: Type.Integer({ description: 'The server pings this often; a ping unanswered until the next one ends the connection' }),
    maxFrameBytes: Type.Integer({ description: 'A longer frame from the client ends the connection with code 1009' }),
    positions: described(ref(Positions), 'The present `changeSeq` of the conversations that this socket gets, by id; at most 1,000 in one frame'),
    hasMore,
  }),
  example: { heartbeatSeconds: 25, maxFrameBytes: 65536, positions: { [conversationId]: 57 }, hasMore: false },
})

export const positions = defineEvent({
  type: 'positions',
  kind: 'signal',
  summary: 'Where more conversations stand',
  description: 'Follows `hello` at once, or comes before the answer to `subscribe`, where there are more than one frame holds.',
  data: Type.Object({ positions: described(ref(Positions), 'The present `changeSeq` of these conversations'), hasMore }),
  example: { positions: { [conversationId]: 57 }, hasMore: false },
})

export const conversationJoined = defineEvent({
  type: 'conversation.joined',
  kind: 'signal',
  summary: 'You have become a member of a conversation that this socket does not get',
  description:
    'Told to sockets that have named what they want (`subscribe`); the others get the conversation itself. Subscribe to it, if you want it too. May be told again, and of what you joined shortly before you connected.',
  data: Type.Object({ conversationId: described(ConversationId, 'The conversation') }),
  example: { conversationId },
})

export const ready = defineEvent({
  type: 'ready',
  kind: 'signal',
  summary: 'The resume is complete',
  description: 'Everything newer than the cursors has been sent, or announced by `gap` or `gone`; from here on there are live events only.',
  data: Type.Object({ cursors: described(ref(Positions), 'Where the conversations of the resume stand now, by id') }),
  example: { cursors: { [conversationId]: 57 } },
})

export const gap = defineEvent({
  type: 'gap',
  kind: 'signal',
  summary: 'Too much was missed to send it here',
  description: 'Fetch it with `sync.pull`, or page the messages, and go on from `changeSeq`.',
  data: Type.Object({
    conversationId: ConversationId,
    fromChangeSeq: described(Sequence, 'Your cursor: ask `sync.pull` from here'),
    changeSeq: described(Sequence, 'Where the conversation stands now'),
    missed: described(
      Count,
      'How many change numbers are newer than what you hold; not a number of messages: some are of other changes, or of ones that later ones replaced',
    ),
  }),
  example: { conversationId, fromChangeSeq: 57, changeSeq: 12057, missed: 12000 },
})

export const gone = defineEvent({
  type: 'gone',
  kind: 'signal',
  summary: 'A conversation of the resume is not yours any more',
  data: Type.Object({ conversationId: described(ConversationId, 'The conversation; forget its cursor') }),
  example: { conversationId },
})

export const pong = defineEvent({
  type: 'pong',
  kind: 'signal',
  summary: 'The answer to `ping`',
  data: Type.Object({}),
  example: {},
})

export const changeHidden = defineEvent({
  type: 'change.hidden',
  kind: 'change',
  summary: 'Something changed that is not for you',
  description: 'It has a number as every change has, and tells nothing else: a message from before you joined was edited, or a member muted the conversation.',
  data: Type.Object({}),
  example: {},
})

/** Why the server ends a socket. Codes from 4000 on are ours (RFC 6455, section 7.4.2). */
export const closeCodes = {
  4400: 'The client keeps sending frames that are not commands',
  4401: 'The access token or API key expired, or it or its session was revoked: sign in or refresh, then connect and resume',
  4408: 'The client does not read as fast as events come: connect and resume. Who does not read at all may not see this code either, but 1006',
  4429: 'The client sends faster than it may',
  1001: 'The server is going away, or could not read what this socket is to get: connect and resume',
  1009: 'A frame was longer than `maxFrameBytes`: send what is that long over REST',
} as const
