import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { SlowClients } from './slow-clients.ts';

const MEBIBYTE = 1024 * 1024;

interface TestClient {
	unreadBytes: number;
	disconnect(): void;
}

function world() {
	const clock = new VirtualClock();
	const disconnected: string[] = [];
	const client = (name: string, unreadBytes: number): TestClient => ({
		unreadBytes,
		disconnect: () => void disconnected.push(name),
	});
	return { clock, disconnected, slow: new SlowClients(clock), client };
}

test('a client that reads nothing for a minute is disconnected, one that reads is not', () => {
	const { clock, slow, disconnected, client } = world();
	const reader = client('reader', 1000);
	slow.add(reader);
	slow.add(client('sleeper', 1000));
	clock.advance(59_999);
	assert.deepEqual(disconnected, []);
	slow.remove(reader);
	slow.add(reader);
	clock.advance(1);
	assert.deepEqual(disconnected, ['sleeper']);
	slow.remove(reader);
	clock.advance(120_000);
	assert.deepEqual(disconnected, ['sleeper']);
	assert.equal(slow.bytes, 0);
});

test('a client that reads a little in each minute stays connected', () => {
	const { clock, slow, disconnected, client } = world();
	const slowest = client('slowest', 1000);
	slow.add(slowest);
	for (const left of [999, 500, 10]) {
		slowest.unreadBytes = left;
		clock.advance(60_000);
		assert.equal(slow.bytes, left);
	}
	assert.deepEqual(disconnected, []);
	clock.advance(60_000);
	assert.deepEqual(disconnected, ['slowest']);
});

test('a client has a minute for each 256 KiB that wait', () => {
	const { clock, slow, disconnected, client } = world();
	slow.add(client('large', MEBIBYTE));
	clock.advance(239_999);
	assert.deepEqual(disconnected, []);
	clock.advance(1);
	assert.deepEqual(disconnected, ['large']);
});

test('more waiting bytes give a client that reads nothing neither more time nor another place', () => {
	const { clock, slow, disconnected, client } = world();
	const stuck = client('stuck', 1000);
	slow.add(stuck);
	clock.advance(30_000);
	slow.add(client('fresh', 1000));
	stuck.unreadBytes = 2000;
	slow.add(stuck);
	assert.equal(slow.bytes, 3000);
	clock.advance(30_000);
	assert.deepEqual(disconnected, ['stuck']);
	const again = client('again', MEBIBYTE);
	slow.add(again);
	slow.add(client('later', MEBIBYTE));
	again.unreadBytes *= 2;
	slow.add(again);
	slow.add(client('large', 30 * MEBIBYTE));
	assert.deepEqual(disconnected, ['stuck', 'fresh', 'again']);
});

test('a client that has read something gets a new minute and moves to the end of the queue', () => {
	const { clock, slow, disconnected, client } = world();
	const reader = client('reader', 1000);
	slow.add(reader);
	slow.add(client('sleeper', 1000));
	clock.advance(59_000);
	slow.add(reader, true);
	clock.advance(59_000);
	assert.deepEqual(disconnected, ['sleeper']);
});

test('if too much waits for all clients, those that have waited longest are disconnected', () => {
	const { slow, disconnected, client } = world();
	for (let index = 0; index < 40; index++) slow.add(client(`c${index}`, MEBIBYTE));
	assert.deepEqual(disconnected, ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7']);
	assert.equal(slow.bytes, 32 * MEBIBYTE);
});

test('a single client may have a response of any size', () => {
	const { slow, disconnected, client } = world();
	slow.add(client('a', 100 * MEBIBYTE));
	assert.deepEqual(disconnected, []);
});
