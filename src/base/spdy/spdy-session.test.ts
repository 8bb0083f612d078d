import assert from 'node:assert/strict';
import { threadCpuUsage } from 'node:process';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextTurn } from '../turn.ts';
import { type SpdyFrame, spdyBytesOf } from './frames.ts';
import { HeaderDeflater } from './header-block.ts';
import { type SpdyConnection, SpdySession } from './spdy-session.ts';
import type { SpdyStream } from './spdy-stream.ts';

const HEADERS = new Map([['streamtype', 'data']]);

/** A connection within the process, which passes bytes on in pieces of any size. */
class Wire implements SpdyConnection {
	peer: SpdySession | undefined;
	isPaused = false;
	isEnded = false;
	readonly #waiting: { readonly bytes: Uint8Array; readonly done: (isOpen: boolean) => void }[] = [];

	write(bytes: Uint8Array): Promise<boolean> {
		return new Promise((done) => {
			this.#waiting.push({ bytes, done });
			queueMicrotask(() => this.flow());
		});
	}

	/** Passes on what waits, unless the receiver has paused its end. */
	flow(): void {
		while (!this.isPaused) {
			const next = this.#waiting.shift();
			if (!next) break;
			for (let at = 0; at < next.bytes.length; at += 1000)
				this.peer?.receive(next.bytes.subarray(at, at + 1000));
			next.done(!this.isEnded);
		}
		if (this.isEnded && !this.isPaused) this.peer?.lose();
	}

	get waitingWrites(): number {
		return this.#waiting.length;
	}

	/** The receiver's end: `pause` and `resume` are the receiver's, the rest is the sender's. */
	reading(other: Wire): SpdyConnection {
		return {
			write: (bytes) => this.write(bytes),
			end: () => {
				this.isEnded = true;
				queueMicrotask(() => this.flow());
			},
			pause: () => {
				other.isPaused = true;
			},
			resume: () => {
				other.isPaused = false;
				queueMicrotask(() => other.flow());
			},
		};
	}

	pause(): void {}
	resume(): void {}
	end(): void {}
}

interface Pair {
	readonly client: SpdySession;
	readonly server: SpdySession;
	/** From the client to the server. */
	readonly up: Wire;
	readonly accepted: SpdyStream[];
}

function pair(accept: (stream: SpdyStream) => boolean = () => true): Pair {
	const [up, down] = [new Wire(), new Wire()];
	const accepted: SpdyStream[] = [];
	const client = new SpdySession({ connection: up.reading(down), isServer: false });
	const server = new SpdySession({
		connection: down.reading(up),
		isServer: true,
		accept: (stream) => {
			if (!accept(stream)) return false;
			accepted.push(stream);
			return true;
		},
	});
	up.peer = server;
	down.peer = client;
	return { client, server, up, accepted };
}

async function textOf(stream: SpdyStream | undefined): Promise<string> {
	const pieces: Uint8Array[] = [];
	for (let piece = await stream?.read(); piece; piece = await stream?.read()) pieces.push(piece);
	return Buffer.concat(pieces).toString();
}

test('streams carry bytes in both directions, and each direction ends by itself', async () => {
	const { client, accepted } = pair();
	const [one, two] = [client.open(HEADERS), client.open(new Map([['port', '80']]))];
	void one.write(Buffer.from('a'.repeat(300_000)));
	void one.end();
	void two.write(Buffer.from('two'));
	await nextTurn();
	const [first, second] = accepted;
	assert.deepEqual([first?.id, second?.id, second?.headers.get('port')], [1, 3, '80']);
	assert.equal((await textOf(first)).length, 300_000);
	assert.equal(await first?.write(Buffer.from('answer')), true);
	await first?.end();
	assert.equal(await textOf(one), 'answer');
	assert.equal(Buffer.from((await second?.read()) ?? []).toString(), 'two');
	second?.reset();
	assert.equal(await two.read(), undefined);
	assert.equal(await two.write(Buffer.from('late')), false);
});

test('the close of either end ends all streams', async () => {
	const { client, server, accepted } = pair();
	const stream = client.open(HEADERS);
	await nextTurn();
	void accepted[0]?.write(Buffer.from('last'));
	await accepted[0]?.end();
	assert.equal(await textOf(stream), 'last');
	server.close();
	assert.deepEqual([await server.closed, await client.closed], [undefined, undefined]);
	assert.equal(await accepted[0]?.read(), undefined);
	assert.equal(await client.open(HEADERS).write(Buffer.from('x')), false);
});

test('a stream that is not accepted is reset', async () => {
	const { client } = pair(({ headers }) => headers.has('port'));
	const refused = client.open(HEADERS);
	const accepted = client.open(new Map([['port', '1']]));
	assert.equal(await refused.read(), undefined);
	assert.equal(await refused.write(Buffer.from('x')), false);
	assert.equal(await accepted.write(Buffer.from('x')), true);
});

test('a reader that stops stops the writer, and its stream can be dropped', async () => {
	const { client, accepted, up } = pair();
	const slow = client.open(HEADERS);
	const other = client.open(HEADERS);
	let written = 0;
	const writing = (async () => {
		while (written < 100 && (await slow.write(Buffer.alloc(32 * 1024)))) written += 1;
	})();
	while (up.waitingWrites === 0 || !up.isPaused) await nextTurn();
	for (let turn = 0; turn < 20; turn += 1) await nextTurn();
	assert.ok(written < 12, `${written} writes of 32 KiB`);
	void other.write(Buffer.from('x'));
	accepted[0]?.reset();
	await writing;
	assert.equal(Buffer.from((await accepted[1]?.read()) ?? []).toString(), 'x');
	assert.ok(written < 20, 'the writes end soon after the reset');
});

test('pings are returned, and a peer that reads none is not served without bounds', async () => {
	const answers: Uint8Array[] = [];
	let room: (isOpen: boolean) => void = () => undefined;
	let isPaused = false;
	const session = new SpdySession({
		isServer: true,
		connection: {
			write: (bytes) => {
				answers.push(bytes);
				return new Promise((resolve) => {
					room = resolve;
				});
			},
			pause: () => {
				isPaused = true;
			},
			resume: () => {
				isPaused = false;
			},
			end: () => undefined,
		},
	});
	const ping = (id: number): Uint8Array => spdyBytesOf({ type: 'ping', id });
	session.receive(Buffer.concat([ping(1), ping(2), ping(3)]));
	session.receive(ping(5));
	assert.deepEqual(answers, [ping(1)]);
	assert.equal(isPaused, true);
	room(true);
	await nextTurn();
	assert.deepEqual(answers, [ping(1), ping(3)]);
	room(true);
	await nextTurn();
	room(true);
	await nextTurn();
	assert.deepEqual(answers, [ping(1), ping(3), ping(5)]);
	assert.equal(isPaused, false);
});

test('a flood of streams is performed in many turns, and only so many are open', async () => {
	const { client, server, up, accepted } = pair();
	const deflater = new HeaderDeflater();
	const frames = Array.from({ length: 5000 }, (_, index) =>
		spdyBytesOf({ type: 'open', streamId: 2 * index + 1, isLast: false, block: deflater.write(HEADERS) }),
	);
	let isOver = false;
	let longest = 0;
	const flood = up.write(Buffer.concat(frames)).then(() => server.closed);
	void flood.then(() => {
		isOver = true;
	});
	void up.write(spdyBytesOf({ type: 'ping', id: 2 }));
	// CPU time, since other processes on a busy machine do not count.
	for (let before = usedMs(); accepted.length < 1024; before = usedMs()) {
		await nextTurn();
		longest = Math.max(longest, usedMs() - before);
	}
	assert.equal(isOver, false);
	assert.ok(longest < 100, `a turn of ${longest} ms`);
	for (let turn = 0; turn < 50; turn += 1) await nextTurn();
	assert.equal(accepted.length, 1024);
	client.lose();
});

test('violations of the protocol end the session with the reason', async () => {
	const deflater = (): Uint8Array => new HeaderDeflater().write(HEADERS);
	const open = (streamId: number): SpdyFrame => ({
		type: 'open',
		streamId,
		isLast: false,
		block: deflater(),
	});
	for (const [bytes, reason] of [
		[Buffer.from('GET / HTTP/1.1\r\n\r\n'), undefined],
		[Uint8Array.of(0x80, 2, 0, 1, 0, 0, 0, 0), /version/],
		[Uint8Array.of(0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff), /too long/],
		[Uint8Array.of(0x80, 3, 0, 6, 0, 0, 0, 1, 1), /too short/],
		[bytesOf(open(2)), /id that is not the next/],
		[bytesOf({ type: 'open', streamId: 1, isLast: false, block: Uint8Array.of(1, 2, 3) }), /zlib/],
	] as const) {
		const { server } = pair();
		server.receive(bytes);
		if (reason) assert.match((await server.closed) ?? '', reason);
		else server.close();
	}
});

function bytesOf(frame: SpdyFrame): Uint8Array {
	assert.ok(frame.type !== 'skipped');
	return spdyBytesOf(frame);
}

test('whatever bytes arrive, in whatever pieces, the session stands or ends', async () => {
	const deflater = new HeaderDeflater();
	const valid = Buffer.concat([
		spdyBytesOf({ type: 'open', streamId: 1, isLast: false, block: deflater.write(HEADERS) }),
		spdyBytesOf({ type: 'data', streamId: 1, isLast: false, bytes: Buffer.from('hello') }),
		spdyBytesOf({ type: 'ping', id: 1 }),
		spdyBytesOf({ type: 'open', streamId: 3, isLast: true, block: deflater.write(HEADERS) }),
		spdyBytesOf({ type: 'reset', streamId: 3, status: 5 }),
		spdyBytesOf({ type: 'data', streamId: 1, isLast: true, bytes: Buffer.alloc(0) }),
		spdyBytesOf({ type: 'goAway', lastStreamId: 0, status: 0 }),
	]);
	const changes = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 });
	await fc.assert(
		fc.asyncProperty(changes, fc.integer({ min: 1, max: 300 }), async (changed, size) => {
			const bytes = Buffer.from(valid);
			for (const [at, value] of changed) bytes[at] = value;
			const { server, accepted } = pair();
			for (let at = 0; at < bytes.length; at += size) server.receive(bytes.subarray(at, at + size));
			await nextTurn();
			if (changed.length === 0) assert.equal(await textOf(accepted[0]), 'hello');
			server.lose();
		}),
		{ numRuns: 1000 },
	);
});

/** The CPU time of this thread so far, in milliseconds. */
function usedMs(): number {
	const { user, system } = threadCpuUsage();
	return (user + system) / 1000;
}
