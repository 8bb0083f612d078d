import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '../../../base/clock.ts';
import { firstMessage, framed } from './stream-message.ts';

/** The parts of a {@link Resolver}. */
export interface ResolverOptions {
	readonly clock: Clock;
	/** The DNS servers, the preferred one first. */
	resolvers(): Promise<readonly DnsAddress[]>;
}

/** Where a DNS server listens. */
export interface DnsAddress {
	readonly address: string;
	readonly port: number;
}

/** How long a DNS server may take, and after how many of them the question is given up. */
const ANSWER_MS = 2000;
const MOST_SERVERS = 3;
/** How many questions may wait for other servers; the others get no answer, and clients ask again. */
const MOST_FORWARDED = 1000;
const ID_BYTES = 2;

/** Forwards questions to the DNS servers of the machine. */
export class Resolver {
	readonly #options: ResolverOptions;
	readonly #open = new Set<() => void>();

	constructor(options: ResolverOptions) {
		this.#options = options;
	}

	/** The answer of the first server that gives one, with the id of `question`; undefined if none does. */
	async forward(question: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
		if (this.#open.size >= MOST_FORWARDED) return undefined;
		const servers = await this.#options.resolvers().catch(() => []);
		for (const server of servers.slice(0, MOST_SERVERS)) {
			const answer = await (transport === 'udp'
				? this.#byUdp(question, server)
				: this.#byTcp(question, server));
			if (answer?.subarray(0, ID_BYTES).equals(question.subarray(0, ID_BYTES))) return answer;
		}
		return undefined;
	}

	/** Gives up all questions. */
	close(): void {
		for (const end of this.#open) end();
	}

	/** A socket for each question: its port, chosen by the kernel, is what an answer must know beside the id. */
	#byUdp(question: Buffer, { address: server, port }: DnsAddress): Promise<Buffer | undefined> {
		const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
		return this.#within((settle) => {
			socket.on('error', () => settle(undefined));
			socket.on('message', (answer) => settle(answer));
			// Connected, it hears of no other sender, and at once that nothing listens.
			socket.connect(port, server, () => socket.send(question));
			return () => socket.close();
		});
	}

	#byTcp(question: Buffer, { address, port }: DnsAddress): Promise<Buffer | undefined> {
		const socket = connect({ host: address, port });
		return this.#within((settle) => {
			socket.write(framed(question));
			let received = Buffer.alloc(0);
			socket.on('error', () => settle(undefined));
			socket.on('close', () => settle(undefined));
			socket.on('data', (chunk: Buffer) => {
				received = Buffer.concat([received, chunk]);
				const found = firstMessage(received);
				if (found) settle(found.message);
			});
			return () => socket.destroy();
		});
	}

	/** Settles with what `ask` gives to its callback, or with undefined when time is up; then runs what `ask` returned. */
	#within(ask: (settle: (answer: Buffer | undefined) => void) => () => void): Promise<Buffer | undefined> {
		const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
		const giveUp = (): void => resolve(undefined);
		const timer = this.#options.clock.setTimer(ANSWER_MS, giveUp);
		this.#open.add(giveUp);
		const end = ask(resolve);
		return promise.finally(() => {
			timer.cancel();
			this.#open.delete(giveUp);
			end();
		});
	}
}
