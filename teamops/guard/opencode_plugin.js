// Tells teamops of what opencode does: one event, one run of the hook entry, in their order.
// It holds opencode back in two cases. The agent is held, and may not spend: then tool calls and prompts are refused.
// Its role may not do what a tool call would do: the hook entry says so, and whatever else it says refuses, too.
// Else it waits for nothing and lets nothing through that it throws.
import { spawn } from "node:child_process"
import { readFileSync, statSync } from "node:fs"
import { dirname } from "node:path"

const entry = (() => {
  try {
    return JSON.parse(process.env.TEAMOPS_HOOK_ENTRY || "[]")
  } catch {
    return [] // a plugin that does not load would hold nothing back
  }
})()
const gate = process.env.TEAMOPS_HOOK_GATE || ""
const SEAL = "teamops:ok" // what begins an answer that lets through, see hook.py
const JUDGED_MS = 6000 // the hook entry ends before
const ASK = "tell the person who runs teamops"
const PAUSE_MS = 3000 // its model would be asked at once what to do instead: time for an interrupt
const roots = new Map() // a subagent's session → the session that the person sees
let last = Promise.resolve()

function tell(event, session, about) {
  if (!entry.length || !process.env.TEAMOPS_ROLE) return
  const told = JSON.stringify({ hook_event_name: event, session_id: rootOf(session), ...about })
  last = last.then(() => run(event, told)).catch(() => {})
}

function run(event, told) {
  return new Promise((done) => {
    const child = spawn(entry[0], [...entry.slice(1), event, gate, "opencode"], { stdio: ["pipe", "ignore", "ignore"] })
    child.on("error", done)
    child.on("close", done)
    child.stdin.on("error", () => {})
    child.stdin.end(told)
  })
}

// Tells of a tool call and throws unless the hook entry lets it through.
async function judge(told) {
  const asked = last.then(() => answer("tool.execute.before", JSON.stringify(told)))
  last = asked.catch(() => {})
  const { code, out, said } = await asked
  if (code === 0 && out.startsWith(SEAL)) return
  throw new Error(said.trim() || `teamops: its hook failed (${code}), so this is not let through; ${ASK}`)
}

function answer(event, told) {
  return new Promise((done) => {
    let out = ""
    let said = ""
    let child
    try {
      child = spawn(entry[0], [...entry.slice(1), event, gate, "opencode", "sealed"], { stdio: "pipe" })
    } catch (error) {
      done({ code: String(error), out, said })
      return
    }
    const late = setTimeout(() => child.kill("SIGKILL"), JUDGED_MS)
    child.stdout.on("data", (part) => (out += part))
    child.stderr.on("data", (part) => (said += part))
    child.on("error", (error) => done({ code: String(error), out, said }))
    child.on("close", (code, signal) => {
      clearTimeout(late)
      done({ code: code ?? signal, out, said })
    })
    child.stdin.on("error", () => {})
    child.stdin.end(told)
  })
}

// Why nothing may be spent; empty = it may. A gate that can't be seen is shut. See holds.py.
function held() {
  if (!gate) return ""
  try {
    return readFileSync(gate, "utf8").split("\n")[0].trim() || "held"
  } catch (error) {
    if (error.code !== "ENOENT") return `held: ${gate} can't be read`
    try {
      if (statSync(dirname(gate)).isDirectory()) return ""
    } catch {}
    return `held: the folder of ${gate} is gone, so nobody can say`
  }
}

async function refuse(pause_ms) {
  const why = held()
  if (!why) return
  await new Promise((done) => setTimeout(done, pause_ms))
  throw new Error(`teamops: ${why}. Don't try again: nothing may be spent until a person lifts this. Stop here.`)
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

export const Teamops = async ({ directory } = {}) => ({
  event: quietly(({ event }) => seen(event)),
  "chat.message": async (input, output) => {
    await quietly(() => {
      const text = (output.parts || []).filter((part) => part.type === "text" && !part.synthetic)
      if (!roots.has(input.sessionID)) tell("chat.message", input.sessionID, { prompt: text.map((part) => part.text).join("\n") })
    })()
    await refuse(0)
  },
  "tool.execute.before": async (input, output) => {
    if (!gate || held()) {
      await quietly(() => tell("tool.execute.before", input.sessionID, { tool_name: input.tool }))()
      await refuse(PAUSE_MS)
      return
    }
    if (!entry.length || !input?.tool) throw new Error(`teamops: the call can't be read, so it is not let through; ${ASK}`)
    await judge({
      hook_event_name: "tool.execute.before",
      session_id: rootOf(input.sessionID),
      cwd: directory || process.cwd(),
      tool_name: input.tool,
      tool_input: output?.args,
    })
  },
  "tool.execute.after": quietly((input) => tell("tool.execute.after", input.sessionID, { tool_name: input.tool })),
})
