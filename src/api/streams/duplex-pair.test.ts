import assert from 'node:assert/strict';
import test from 'node:test';
import { closedBy } from '../contract/duplex.ts';
import { duplexPair } from './duplex-pair.ts';
import { duplexContract, text } from './testing/duplex-contract-suite.ts';

duplexContract('a pair within one process', async () => {
	const [client, server] = duplexPair();
	return { client, server };
});

test('a writer that waits for room is released when its peer closes the session', async () => {
	const [client, server] = duplexPair(100);
	assert.equal(await server.send(text(1, 'a')), true);
	const waiting = server.send(text(1, 'b'));
	client.close({ type: 'failed', message: 'gone' });
	assert.equal(await waiting, false);
	assert.deepEqual(await server.closed, { type: 'failed', message: 'gone' });
});

test('empty messages fill the window too', async () => {
	const [client, server] = duplexPair(1000);
	let accepted = 0;
	for (; accepted < 100; accepted += 1) {
		const state = await Promise.race([server.send(text(1, '')), Promise.resolve('waits')]);
		if (state === 'waits') break;
	}
	assert.ok(accepted < 20, `${accepted} messages`);
	client.close();
});

test('an abort closes the session, also one that was there before', async () => {
	const early = duplexPair()[0];
	closedBy(AbortSignal.abort(), early);
	assert.deepEqual(await early.closed, { type: 'failed', message: 'the session was aborted' });
	const abort = new AbortController();
	const [later] = duplexPair();
	closedBy(abort.signal, later);
	abort.abort();
	assert.deepEqual(await later.closed, { type: 'failed', message: 'the session was aborted' });
});
