/**
 * The DNS server of a node for its Pods: names of the cluster from a {@link DnsZone}, all others from the resolvers of the
 * machine. By UDP and TCP.
 *
 * 1. It drops what it cannot read: every program of the machine can send to it. No question makes it fail.
 * 2. Questions to other servers are forwarded as they are, with an id of their own; at most {@link MOST_FORWARDED} wait.
 */
import type { Socket as Datagrams } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import {
	type Answer,
	AUTHORITATIVE_ANSWER,
	decode,
	encode,
	type Packet,
	TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { Clock } from '../../../base/clock.ts';
import { type DnsRecord, type DnsZone, dnsAnswerOf } from '../../../plan/dns/zone.ts';
import type { PodSockets } from '../../../runtime/pod-sockets.ts';
import { missingAs, rawNameOf } from './raw-name.ts';
import { type DnsAddress, Resolver } from './resolver.ts';
import { firstMessage, framed } from './stream-message.ts';

/** The parts and settings of a {@link DnsServer}. */
export interface DnsServerOptions {
	readonly address: string;
	readonly port: number;
	readonly clock: Clock;
	readonly sockets: Pick<PodSockets, 'bind' | 'listen'>;
	/** Whether a client with this address is answered. */
	serves(address: string): boolean;
	/** The resolvers of the machine, as in its resolv.conf; asked for at each question that is forwarded. */
	resolvers(): Promise<readonly DnsAddress[]>;
}

/** The time for which clients may keep an answer, in seconds: CoreDNS's for the names of a cluster. */
const TTL = 30;
/** The largest answer by UDP to a client that says nothing about its size. */
const SMALL_BYTES = 512;
/** The largest answer by UDP: what passes without fragments everywhere. */
const LARGE_BYTES = 1232;
/** How long a TCP client may be silent. */
const IDLE_MS = 10_000;

const CODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4 } as const;
const CODE_MASK = 0xf;

/** See the header of this file. */
export class DnsServer {
	readonly #options: DnsServerOptions;
	#datagrams: Datagrams | undefined;
	readonly #server: Server;
	readonly #clients = new Set<Socket>();
	readonly #resolver: Resolver;
	#isClosed = false;
	#zone: DnsZone = { domain: 'cluster.local', records: {}, namespaces: [] };

	constructor(options: DnsServerOptions) {
		this.#options = options;
		this.#resolver = new Resolver(options);
		this.#server = createServer((client) => this.#serve(client));
	}

	/** Listens. Rejects with the system's error. */
	async open(): Promise<void> {
		const { address: host, port, sockets, serves } = this.#options;
		const datagrams = await sockets.bind({ host, port });
		this.#datagrams = datagrams;
		datagrams.on('error', () => {});
		datagrams.on('message', (message, { address, port: from }) => {
			if (!serves(address)) return;
			void this.#answer(message, 'udp').then((answer) => {
				if (answer && !this.#isClosed) datagrams.send(answer, from, address);
			});
		});
		await sockets.listen(this.#server, { host, port: this.port });
		this.#server.on('error', () => {});
	}

	/** The port on which it listens, once it does. */
	get port(): number {
		return this.#datagrams?.address().port ?? this.#options.port;
	}

	/** Answers by this zone from now on. */
	setZone(zone: DnsZone): void {
		this.#zone = zone;
	}

	/** Stops listening, and ends all connections. */
	close(): void {
		this.#isClosed = true;
		this.#datagrams?.close();
		this.#server.close();
		for (const client of this.#clients) client.destroy();
		this.#resolver.close();
	}

	#serve(client: Socket): void {
		if (!this.#options.serves(client.remoteAddress ?? '')) {
			client.on('error', () => {}).resetAndDestroy();
			return;
		}
		this.#clients.add(client);
		client.once('close', () => this.#clients.delete(client));
		client.on('error', () => client.destroy());
		client.setTimeout(IDLE_MS, () => client.destroy());
		let waiting: Buffer = Buffer.alloc(0);
		client.on('data', (chunk: Buffer) => {
			waiting = Buffer.concat([waiting, chunk]);
			for (let found = firstMessage(waiting); found; found = firstMessage(waiting)) {
				waiting = found.rest;
				void this.#answer(found.message, 'tcp').then((answer) => {
					// A client that reads no answers is not asked for more questions.
					if (answer && client.writable && !client.write(framed(answer))) client.pause();
				});
			}
		});
		client.on('drain', () => client.resume());
	}

	/** The answer to a question as bytes; undefined for what is none. */
	async #answer(message: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
		const query = decoded(message);
		const [question] = query?.questions ?? [];
		if (query?.type !== 'query' || !question) return undefined;
		if (query.opcode !== 'QUERY') return encode(reply(query, { code: 'NOTIMP' }));
		const name = rawNameOf(message);
		const isWithin = `.${question.name.toLowerCase()}`.endsWith(`.${this.#zone.domain}`);
		if (name && !name.isPlain && isWithin) return missingAs(message, name);
		const known = name?.isPlain ? dnsAnswerOf(this.#zone, question.name, question.type) : undefined;
		if (!known) {
			const forwarded = await this.#resolver.forward(message, transport);
			return forwarded ?? encode(reply(query, { code: 'SERVFAIL' }));
		}
		const answers = known.records.map((record) => recordOf(question.name, record));
		const [alias] = known.records;
		const target = alias?.type === 'CNAME' && question.type !== 'CNAME' ? alias.target : undefined;
		if (target !== undefined) answers.push(...(await this.#targetOf(target, question.type)));
		const isMissing = answers.length === 0;
		const authorities = isMissing ? [startOf(this.#zone.domain)] : [];
		return sized(query, transport, { code: known.code, isOwn: true, answers, authorities });
	}

	/** The records of an alias's target, as a client that follows no aliases needs them. */
	async #targetOf(name: string, type: string): Promise<Answer[]> {
		const own = dnsAnswerOf(this.#zone, name, type);
		if (own) return own.records.map((record) => recordOf(name, record));
		const question = encode({
			type: 'query',
			flags: 0x100,
			questions: [{ name, type: type === 'AAAA' ? 'AAAA' : 'A', class: 'IN' }],
		});
		const answer = await this.#resolver.forward(question, 'tcp');
		return (answer && decoded(answer)?.answers) || [];
	}
}

/** The message; undefined if it cannot be read. */
function decoded(message: Buffer): (ReturnType<typeof decode> & { readonly opcode?: string }) | undefined {
	try {
		return decode(message);
	} catch {
		return undefined;
	}
}

interface Reply {
	readonly code: keyof typeof CODES;
	/** Whether the name is this server's own. */
	readonly isOwn?: boolean;
	readonly answers?: Answer[];
	readonly authorities?: Answer[];
}

function reply(query: Packet, { code, isOwn = false, answers = [], authorities = [] }: Reply): Packet {
	const { id, questions = [] } = query;
	/** Recursion was wanted (of the question), and is available. */
	const recursion = ((query.flags ?? 0) & 0x100) | 0x80;
	return {
		type: 'response',
		...(id !== undefined && { id }),
		flags: recursion | (isOwn ? AUTHORITATIVE_ANSWER : 0) | (CODES[code] & CODE_MASK),
		questions,
		answers,
		authorities,
		// A client that offers more than the smallest size learns that the server understood it.
		...(extensionOf(query) && { additionals: [EXTENSION] }),
	};
}

/** The reply as bytes; by UDP without its records if they are too many, so that the client asks by TCP. */
function sized(query: Packet, transport: 'udp' | 'tcp', how: Reply): Buffer {
	const whole = encode(reply(query, how));
	if (transport === 'tcp' || whole.length <= mostBytes(query)) return whole;
	const cut = reply(query, { ...how, answers: [], authorities: [] });
	return encode({ ...cut, flags: (cut.flags ?? 0) | TRUNCATED_RESPONSE });
}

const EXTENSION: Answer = {
	type: 'OPT',
	name: '.',
	udpPayloadSize: LARGE_BYTES,
	extendedRcode: 0,
	ednsVersion: 0,
	flags: 0,
	flag_do: false,
	options: [],
};

function extensionOf({ additionals = [] }: Packet): Answer | undefined {
	return additionals.find(({ type }) => type === 'OPT');
}

function mostBytes(query: Packet): number {
	const extension = extensionOf(query);
	const offered = extension && 'udpPayloadSize' in extension ? Number(extension.udpPayloadSize) : SMALL_BYTES;
	return Math.min(Math.max(offered, SMALL_BYTES), LARGE_BYTES);
}

function recordOf(name: string, record: DnsRecord): Answer {
	switch (record.type) {
		case 'A':
			return { type: 'A', name, ttl: TTL, class: 'IN', data: record.address };
		case 'CNAME':
		case 'PTR':
			return { type: record.type, name, ttl: TTL, class: 'IN', data: record.target };
		case 'SRV':
			return {
				type: 'SRV',
				name,
				ttl: TTL,
				class: 'IN',
				data: { priority: 0, weight: 100, port: record.port, target: record.target },
			};
		case 'TXT':
			return { type: 'TXT', name, ttl: TTL, class: 'IN', data: record.text };
	}
}

/** The start of authority that says how long a client may keep that there is no answer. */
function startOf(domain: string): Answer {
	return {
		type: 'SOA',
		name: domain,
		ttl: TTL,
		class: 'IN',
		data: {
			mname: `ns.dns.${domain}`,
			rname: `hostmaster.${domain}`,
			serial: 1,
			refresh: 7200,
			retry: 1800,
			expire: 86_400,
			minimum: TTL,
		},
	};
}
