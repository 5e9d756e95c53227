/** The protocol of the socket in words: the description of the AsyncAPI document. */
export const protocolDescription = (
  closeCodes: Record<number, string>,
) => `What happens, pushed as it happens, and the commands that a client may send. The REST API is described in \`/openapi.json\`.

${connecting}

## Missing nothing

Every change of a conversation has a number, \`changeSeq\`, and follows another one: \`previousChangeSeq\`, or \`changeSeq - 1\` where that is left out.
Hold a cursor per conversation, the \`changeSeq\` that you applied last, and for every change

- drop it if \`changeSeq\` is not greater than the cursor: you have it;
- if the change that it follows is greater than the cursor, there is a hole: drop it and \`resume\` from the cursor, unless a resume for it is under way (the resume brings it);
- otherwise apply it, and move the cursor to its \`changeSeq\`.

What comes is the present state of what changed, so put it in the place of what you hold: a \`message.updated\` for a message that you do not know is one to keep, for after
a \`gap\` or over several pages what is new may come this way. Answers do not change with what they answer: if you hold some, renew their
\`replyTo.excerpt\` at every \`message.updated\` and \`message.deleted\` whose message is \`replyTo.messageId\`. \`change.hidden\` is a change that is not for you: it moves the cursor and is nothing else.

A conversation that you hold no cursor for and that appears live is new to you: apply its first change as it is, and get its type, title and members with \`conversations.get\`. For one of \`positions\` that you hold nothing of, set the cursor to its position and load it over REST, or to 0 and \`resume\`:
0 tells what has happened since you joined and no more, so older messages, where you may read them, come by REST alone. Forget the cursor at \`gone\` and at your own \`member.left\`.

1. The server has subscribed you, then says \`hello\` with the present number of each of your conversations (\`positions\`); as long as \`hasMore\` is true, the next frame
   is \`positions\` with more of them. Live events flow from here on.
   On a socket that gets all, a conversation that you hold and that is not among the positions once the last frame of them (\`hasMore: false\`) has come is not yours any more:
   forget it, or \`resume\` it to hear \`gone\`.
2. Compare: for the conversations in which you are behind send \`resume\` with your cursors, 0 for one that you hold nothing of. At most 500 in one frame;
   for more send several, one after the other's \`ready\`. A cursor that was beyond its position when you connected: the server's database was restored
   from a backup. Set it to the position, or you would drop what is new as known, and load that conversation anew.
3. The server sends what is newer, in ascending order within each conversation, as the present state of what changed. \`gap\` says that it is too much for the socket:
   fetch it with \`sync.pull\` (\`POST /v1/sync\`). \`gone\` says that the conversation is not yours any more.
4. \`ready\` ends the answer.

So a change arrives at least once on the wire, and exactly once and in order after this rule. Signals, such as \`typing\`, are of the moment and not repeated.

${narrowing}

${commanding}

## Close codes

| code | meaning |
|---|---|
${Object.entries(closeCodes)
  .map(([code, meaning]) => `| ${code} | ${meaning} |`)
  .join('\n')}
`

const connecting = `## Connecting

\`GET /v1/ws\`, upgraded, with an access token in one of three ways: \`?token=\`, \`Authorization: Bearer\`, or the subprotocols \`parley.v1, bearer.<access token>\`
(the server selects \`parley.v1\`). Programs use an API key instead of the token, or in \`X-Api-Key\`, but not in the query: addresses end up in logs, and keys
live long. \`x-scope\` says what a key must be allowed for a command. Browsers with the cookie of \`auth.startCookieSession\` need no token. Without good
credentials the upgrade is answered with the error of the REST API: 401 \`unauthorized\`, or 403 \`csrf_rejected\` where a page brings the cookie and its
\`Origin\` is neither the server's own nor one of \`CORS_ORIGINS\`.

Every frame is one JSON object in a text frame: \`{ type, conversationId, changeSeq, previousChangeSeq?, data }\` for a change, \`{ type, data }\` for a signal,
\`{ type, id?, data }\` for a command, \`{ type: "ack", id, data? }\` or \`{ type: "error", id?, error }\` for its answer.`

const narrowing = `## Some conversations alone

A socket gets all conversations of its user, also those that are joined later. A client that shows few of many names them: \`subscribe\` with \`conversationIds\`, at most 500
in one frame. From the first one on it gets those alone, each further one adds, \`unsubscribe\` takes away, and \`subscribe\` without \`conversationIds\` goes back to all. The \`ack\` tells
\`positions\`: resume where you are behind. Connect with \`?subscribe=none\` to begin with nothing: \`positions\` of \`hello\` is empty then (any other value is answered with 400 \`validation_error\`). A new connection knows nothing of
what an earlier one had named. What you have become a member of is told by \`conversation.joined\`, without its changes; that you have left one of the others is not told, but
\`subscribe\` and \`sync.pull\` know.`

const commanding = `## Commands

A command that bears an \`id\` is answered by \`ack\` or \`error\` with the same \`id\`. An \`ack\` of a send means that the message is stored. If the connection ends before the answer,
connect and send it again with the same \`clientId\`: the answer is the first result.

## Limits

A frame is at most \`maxFrameBytes\` of \`hello\` long; a longer one ends the socket with 1009. A message may be longer than that: it is sent over REST. Frames are text; a binary one is refused with an \`error\`. Commands count for the rate-limit class that they name (\`x-rate-limit\`), together with the REST API; beyond it they are
answered by \`rate_limit_exceeded\`. The server pings every \`heartbeatSeconds\`; clients that cannot see pings send \`ping\` and wait for \`pong\`.`
