import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../base/virtual-clock.ts';
import { type SlowClient, SlowClients } from './slow-clients.ts';

const MEBIBYTE = 1024 * 1024;

function world(): {
	clock: VirtualClock;
	slow: SlowClients;
	cut: string[];
	client: (name: string) => SlowClient;
} {
	const clock = new VirtualClock();
	const cut: string[] = [];
	return {
		clock,
		cut,
		slow: new SlowClients(clock),
		client: (name) => ({ cut: () => void cut.push(name) }),
	};
}

test('a client that takes nothing for a minute is cut, one that reads is not', () => {
	const { clock, slow, cut, client } = world();
	const reader = client('reader');
	slow.add(reader, 1000);
	slow.add(client('sleeper'), 1000);
	clock.advance(59_999);
	assert.deepEqual(cut, []);
	slow.remove(reader);
	slow.add(reader, 1000);
	clock.advance(1);
	assert.deepEqual(cut, ['sleeper']);
	slow.remove(reader);
	clock.advance(120_000);
	assert.deepEqual(cut, ['sleeper']);
	assert.equal(slow.bytes, 0);
});

test('when too much waits for all together, those that have waited longest are cut', () => {
	const { slow, cut, client } = world();
	for (let index = 0; index < 40; index++) slow.add(client(`c${index}`), MEBIBYTE);
	assert.deepEqual(cut, ['c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7']);
	assert.equal(slow.bytes, 32 * MEBIBYTE);
});

test('one client alone may have an answer of any size', () => {
	const { slow, cut, client } = world();
	slow.add(client('a'), 100 * MEBIBYTE);
	assert.deepEqual(cut, []);
});
