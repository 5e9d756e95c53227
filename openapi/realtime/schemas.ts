import { type Static, Type } from '@sinclair/typebox'
import { component, described, ref } from '../contract.ts'
import { ConversationId, canonicalUuid } from '../shared/ids.ts'
import { Sequence } from '../shared/scalars.ts'

/** A format says nothing about the keys of a record; a pattern does. */
const AnyUuid = Type.String({ pattern: canonicalUuid })

/** A `changeSeq` per conversation. 500 of them fit a socket frame with room to spare; who holds more asks in several turns. */
export const Cursors = component(
  'Cursors',
  Type.Record(AnyUuid, Sequence, {
    maxProperties: 500,
    additionalProperties: false,
    description: 'The last `changeSeq` you hold, by conversation id; 0 where you hold nothing: then from where you joined',
  }),
)
export type Cursors = Static<typeof Cursors>

/** As many as a frame holds. */
export const Positions = component(
  'Positions',
  Type.Record(Type.String({ format: 'uuid' }), Sequence, {
    maxProperties: 1000,
    description: 'The present `changeSeq` of conversations of yours, by their ids',
  }),
)
export type Positions = Static<typeof Positions>

export const AllPositions = component(
  'AllPositions',
  Type.Record(Type.String({ format: 'uuid' }), Sequence, {
    description: 'The present `changeSeq` of every conversation of yours, by its id',
  }),
)
export type AllPositions = Static<typeof AllPositions>

export const Subscribed = component(
  'Subscribed',
  Type.Object(
    { positions: described(ref(Positions), 'Where what was subscribed stands now; of more than a frame holds the last ones, after frames of `positions`') },
    { description: 'From where on the socket gets what was subscribed' },
  ),
)
export type Subscribed = Static<typeof Subscribed>

/** What every numbered change bears beside `type` and `data`. */
export const changeEnvelope = {
  conversationId: ConversationId,
  changeSeq: described(Sequence, "The conversation's number of this change"),
  previousChangeSeq: Type.Optional(
    described(
      Sequence,
      'The change that this one follows; `changeSeq - 1` where it is left out. Hold a cursor per conversation: drop a change that is not newer than it, apply one that follows it, and resume from the cursor when `previousChangeSeq` is beyond it',
    ),
  ),
}
