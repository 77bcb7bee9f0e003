import { Answer, AUTHORITATIVE_ANSWER, Packet, Question } from 'dns-packet';

/** One instance of the API, as DNS shows it. */
export interface DnsInstance {
  /** The first label of its name. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** @see https://www.iana.org/assignments/dns-parameters/dns-parameters.xhtml#dns-parameters-6 */
const rcodes = { NOERROR: 0, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
/** An old answer is never right. */
const ttl = 0;

/** Answers a question as the authoritative server of `zone`: SRV for `_http._tcp.ZONE`, A for each target in it. */
export function dnsAnswer(zone: string, instances: readonly DnsInstance[], query: Packet): Packet {
  const [question, ...more] = query.questions ?? [];
  const respond = (rcode: keyof typeof rcodes, sections: Partial<Packet> = {}): Packet => ({
    type: 'response',
    id: query.id ?? 0,
    flags: AUTHORITATIVE_ANSWER | ((query.flags ?? 0) & recursionDesired) | rcodes[rcode],
    questions: query.questions ?? [],
    ...sections,
  });
  if (question === undefined || more.length > 0 || ((query.flags ?? 0) & opcode) !== 0) return respond('NOTIMP');

  const name = question.name.toLowerCase();
  if (name !== zone && !name.endsWith(`.${zone}`)) return respond('REFUSED');

  const records = recordsOf(zone, instances, name);
  // An empty answer must say for how long it holds. https://www.rfc-editor.org/rfc/rfc2308#section-3
  if (records === undefined) return respond('NXDOMAIN', { authorities: [startOfAuthority(zone)] });
  const answers = records.filter(({ type }) => isAskedFor(type, question)).map((record) => sameCase(record, question));
  return answers.length > 0
    ? respond('NOERROR', { answers })
    : respond('NOERROR', { authorities: [startOfAuthority(zone)] });
}

const opcode = 0x7800;
const recursionDesired = 0x0100;

/** Every record of a name; nothing for a name that does not exist. */
function recordsOf(zone: string, instances: readonly DnsInstance[], name: string): Answer[] | undefined {
  if (name === zone) return [startOfAuthority(zone)];
  if (name === `_tcp.${zone}`) return [];
  if (name === `_http._tcp.${zone}`) {
    return instances.map((instance) => ({
      name,
      type: 'SRV',
      ttl,
      data: { priority: 0, weight: 0, port: instance.port, target: `${instance.name}.${zone}` },
    }));
  }
  const found = instances.find((instance) => name === `${instance.name}.${zone}`);
  return found === undefined ? undefined : [{ name, type: 'A', ttl, data: found.address }];
}

function isAskedFor(type: string, question: Question): boolean {
  const asked: string = question.type;
  return asked === type || asked === 'ANY';
}

/** Resolvers may use the case of letters as a nonce, and compare it. */
function sameCase(record: Answer, question: Question): Answer {
  return { ...record, name: question.name };
}

function startOfAuthority(zone: string): Answer {
  return {
    name: zone,
    type: 'SOA',
    ttl,
    data: {
      mname: `ns.${zone}`,
      rname: `hostmaster.${zone}`,
      serial: 1,
      refresh: 3600,
      retry: 600,
      expire: 86_400,
      minimum: ttl,
    },
  };
}
