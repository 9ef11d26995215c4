// Tells teamops of what opencode does: one event, one run of the hook entry, in their order.
// It never holds opencode up or back: it waits for nothing and lets nothing through that it throws.
import { spawn } from "node:child_process"

const entry = JSON.parse(process.env.TEAMOPS_HOOK_ENTRY || "[]")
const roots = new Map() // a subagent's session → the session that the person sees
let last = Promise.resolve()

function tell(event, session, about) {
  if (!entry.length || !process.env.TEAMOPS_ROLE) return
  const told = JSON.stringify({ hook_event_name: event, session_id: rootOf(session), ...about })
  last = last.then(() => run(event, told)).catch(() => {})
}

function run(event, told) {
  return new Promise((done) => {
    const child = spawn(entry[0], [...entry.slice(1), event], { stdio: ["pipe", "ignore", "ignore"] })
    child.on("error", done)
    child.on("close", done)
    child.stdin.on("error", () => {})
    child.stdin.end(told)
  })
}

function rootOf(session) {
  let at = session
  while (roots.has(at)) at = roots.get(at)
  return at || ""
}

function quietly(act) {
  return async (...words) => {
    try {
      act(...words)
    } catch {}
  }
}

function seen({ type, properties: about = {} }) {
  const session = about.sessionID
  if (type === "session.created") {
    const { id, parentID } = about.info || {}
    if (parentID) roots.set(id, parentID)
    tell(parentID ? "SubagentStart" : "session.created", id)
  } else if (type === "session.idle") {
    tell(roots.has(session) ? "SubagentStop" : "session.idle", session)
  } else if (type === "session.error") {
    const error = about.error || {}
    if (error.name === "MessageAbortedError") tell("Interrupt", session)
    else if (!roots.has(session)) tell("session.error", session, { error: String(error.data?.message || error.name || "") })
  } else if (type === "session.compacted") {
    tell("PostCompact", session)
  } else if (type === "permission.asked" || type === "permission.updated" || type === "permission.replied") {
    tell(type, session, { message: String(about.permission || about.title || about.type || "") })
  }
}

export const Teamops = async () => ({
  event: quietly(({ event }) => seen(event)),
  "chat.message": quietly((input, output) => {
    const text = (output.parts || []).filter((part) => part.type === "text" && !part.synthetic)
    if (!roots.has(input.sessionID)) tell("chat.message", input.sessionID, { prompt: text.map((part) => part.text).join("\n") })
  }),
  "tool.execute.before": quietly((input) => tell("tool.execute.before", input.sessionID, { tool_name: input.tool })),
  "tool.execute.after": quietly((input) => tell("tool.execute.after", input.sessionID, { tool_name: input.tool })),
})
