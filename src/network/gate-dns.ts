import { decode, encode, type DecodedPacket } from "dns-packet";

const SECONDS_TO_LIVE = 30;
const NOT_THERE = 3;
const AUTHORITATIVE = 1 << 10;
const RECURSION = (1 << 8) | (1 << 7);

/**
 * The answer to a question for a name: the gate's own address for every host that it knows, no such name for all
 * others. Nothing is asked of anybody: a name that is looked up carries no word out. null for what is no question.
 */
export function answerName(
  message: Buffer,
  gateAddress: string,
  knows: (host: string) => boolean,
): Buffer | null {
  const query = decoded(message);
  const [question] = query?.questions ?? [];
  if (query?.type !== "query" || question === undefined || query.questions?.length !== 1) return null;
  if (query.flags !== undefined && ((query.flags >> 11) & 0xf) !== 0) return null;
  const known = question.class === "IN" && knows(question.name);
  const { name, type } = question;
  return encode({
    type: "response",
    id: query.id ?? 0,
    flags: AUTHORITATIVE | RECURSION | (known ? 0 : NOT_THERE),
    questions: [question],
    // IPv4 alone leads to the gate: for AAAA there is the name and no address.
    answers:
      known && type === "A"
        ? [{ type: "A", class: "IN", name, ttl: SECONDS_TO_LIVE, data: gateAddress }]
        : [],
  });
}

function decoded(message: Buffer): DecodedPacket | null {
  try {
    return decode(message);
  } catch {
    // Whatever a job sends to the port of names; the package throws errors of many kinds.
    return null;
  }
}
