/** Times, counters and words that every feature uses. */
import { type Static, Type } from '@sinclair/typebox'

export const Timestamp = Type.String({ format: 'date-time', description: 'ISO 8601, UTC, milliseconds' })

/** A position among a conversation's messages (`seq`) or changes (`changeSeq`): 1, 2, 3 … */
export const Sequence = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const Count = Type.Integer({ minimum: 0 })

export const Email = Type.String({ format: 'email', maxLength: 255, description: 'E-mail address; its letter case does not matter' })

/** PostgreSQL stores every character but U+0000, and no half surrogate pair can be UTF-8: both are refused where text comes in. */
export const storableText = '^[^\\u0000\\uD800-\\uDFFF]*$'

/** Spaces, bidirectional controls and what takes no room: what consists of these alone looks like nothing. */
const invisible =
  ' \\u00A0\\u00AD\\u034F\\u061C\\u115F\\u1160\\u1680\\u180E\\u2000-\\u200F\\u2028-\\u202F\\u205F-\\u206F\\u2800\\u3000\\u3164\\uFE00-\\uFE0F\\uFEFF\\uFFA0'
const controls = '\\u0001-\\u001F\\u007F-\\u009F'

/** Storable text of which something is to be seen. */
export const visibleText = `^[${controls}${invisible}]*[^\\u0000${controls}\\uD800-\\uDFFF${invisible}][^\\u0000\\uD800-\\uDFFF]*$`

/** The same without control characters. */
export const visibleLine = `^[${invisible}]*[^\\u0000${controls}\\uD800-\\uDFFF${invisible}][^\\u0000${controls}\\uD800-\\uDFFF]*$`

/** The caller's own name for what it creates: a retry that bears it again gets the first result. */
export const ClientId = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: storableText,
  description:
    'Any string the client chooses, unique among what this user creates: a retry with the same one returns the first result, for as long as that exists',
})

export const Metadata = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }),
  Type.Union([Type.String({ maxLength: 500, pattern: storableText }), Type.Number(), Type.Boolean()]),
  {
    maxProperties: 50,
    additionalProperties: false,
    description: 'Up to 50 entries of your own',
  },
)
export type Metadata = Static<typeof Metadata>
