/**
 * The contract of two-way streams as tests. The numbers in the titles are those in api/contract/duplex.ts. The test
 * file of each implementation calls {@link duplexContract} with a function that opens a session.
 */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Duplex, DuplexMessage } from '../../contract/duplex.ts';

/** The two ends of an open session: the client sends ends of channels, the server does not need to. */
export interface DuplexEnds {
	readonly client: Duplex;
	readonly server: Duplex;
}

/** Registers the tests that each implementation of {@link Duplex} must pass. */
export function duplexContract(name: string, open: (t: TestContext) => Promise<DuplexEnds>): void {
	describe(name, () => {
		order(open);
		backpressure(open);
		closing(open);
	});
}

/** A message of text. */
export function text(channel: number, content: string): DuplexMessage {
	return { type: 'data', channel, bytes: Buffer.from(content) };
}

/** All messages until the session is closed, as `channel:text`; an end as `channel|`. */
export async function received(duplex: Duplex): Promise<readonly string[]> {
	const seen: string[] = [];
	for (;;) {
		const message = await duplex.receive();
		if (!message) return seen;
		seen.push(shown(message));
	}
}

function shown(message: DuplexMessage): string {
	if (message.type === 'end') return `${message.channel}|`;
	return `${message.channel}:${Buffer.from(message.bytes).toString()}`;
}

function order(open: (t: TestContext) => Promise<DuplexEnds>): void {
	test('1. messages of all channels arrive in the order in which they were sent, then undefined', async (t) => {
		const { client, server } = await open(t);
		for (const message of [text(1, 'a'), text(2, 'b'), text(1, ''), text(1, 'c')])
			assert.equal(await server.send(message), true);
		server.close();
		assert.deepEqual(await received(client), ['1:a', '2:b', '1:', '1:c']);
		assert.equal(await client.receive(), undefined);
		assert.deepEqual(await client.closed, { type: 'ended' });
	});

	test('1. a reader that waits gets the message, in both directions', async (t) => {
		const { client, server } = await open(t);
		for (const [from, to] of [
			[client, server],
			[server, client],
		] as const) {
			const next = to.receive();
			await from.send(text(0, 'x'));
			assert.deepEqual(shown((await next) ?? text(9, '')), '0:x');
		}
		client.close();
	});

	test('5. the end of a channel is not repeated, and other channels and the other direction stay open', async (t) => {
		const { client, server } = await open(t);
		for (const message of [
			text(0, 'a'),
			{ type: 'end', channel: 0 } as const,
			{ type: 'end', channel: 0 } as const,
			text(0, 'ignored'),
			text(4, 'size'),
		])
			assert.equal(await client.send(message), true);
		await server.send(text(1, 'out'));
		assert.equal(shown((await client.receive()) ?? text(9, '')), '1:out');
		client.close();
		assert.deepEqual(await received(server), ['0:a', '0|', '4:size']);
	});
}

function backpressure(open: (t: TestContext) => Promise<DuplexEnds>): void {
	test('2. a writer waits while its peer does not read, and continues when it does', async (t) => {
		const { client, server } = await open(t);
		const piece = 'x'.repeat(32 * 1024);
		let sent = 0;
		let isWaiting = false;
		const writing = (async () => {
			// More than the buffers of a connection in the kernel hold.
			for (; sent < 1024; sent += 1) {
				const room = server.send(text(1, piece));
				isWaiting = await Promise.race([room.then(() => false), turns(200).then(() => true)]);
				if (isWaiting) break;
			}
		})();
		await writing;
		assert.ok(isWaiting, `${sent} messages were accepted without a reader`);
		const reading = received(client);
		for (let more = 0; more < 100; more += 1) assert.equal(await server.send(text(1, piece)), true);
		server.close();
		assert.equal((await reading).length, sent + 1 + 100);
	});
}

/** Resolves after this many turns of the event loop. */
async function turns(count: number): Promise<void> {
	for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function closing(open: (t: TestContext) => Promise<DuplexEnds>): void {
	test('4. after a close, nothing is sent or received any more', async (t) => {
		const { client, server } = await open(t);
		await server.send(text(1, 'unread'));
		client.close();
		assert.equal(await client.send(text(0, 'a')), false);
		assert.equal(await client.receive(), undefined);
		assert.deepEqual(await server.closed, { type: 'ended' });
		assert.equal(await server.send(text(1, 'b')), false);
		assert.equal(await server.receive(), undefined);
	});

	test('6. only the first close counts, and a failure reaches the peer with its message', async (t) => {
		const { client, server } = await open(t);
		const waiting = client.receive();
		server.close({ type: 'failed', message: 'broken' });
		server.close();
		assert.equal(await waiting, undefined);
		assert.deepEqual(await client.closed, { type: 'failed', message: 'broken' });
		assert.deepEqual(await server.closed, { type: 'failed', message: 'broken' });
	});
}
