import assert from 'node:assert/strict';
import test from 'node:test';
import { expired, forbidden } from '../../api/errors/api-error.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { ShortWatchError } from '../../client/short-watch-error.ts';
import { ServerUnreachableError } from '../../client/transport/server-unreachable.ts';
import { CommandError } from '../context.ts';
import { Outage } from './reconnect.ts';

const BROKEN = new ServerUnreachableError('h:1', new Error('socket hang up'));

function open() {
	const clock = new VirtualClock();
	const reported: string[] = [];
	const outage = new Outage(clock, (text) => reported.push(text));
	let lost = false;
	outage.lost.catch(() => {
		lost = true;
	});
	const failAfter = async (ms: number): Promise<boolean> => {
		clock.advance(ms);
		outage.observeFailure(BROKEN);
		await Promise.resolve();
		await Promise.resolve();
		return lost;
	};
	return { outage, reported, failAfter };
}

test('the first error of an outage is printed, and the command fails when the outage lasts too long', async () => {
	const { outage, reported, failAfter } = open();
	for (const ms of [0, 5000, 10_000]) assert.equal(await failAfter(ms), false);
	assert.equal(await failAfter(10_000), true);
	assert.deepEqual(reported, ['lost the connection to the server (EOF); retrying for 20s']);
	await assert.rejects(
		outage.lost,
		new CommandError('lost the connection to the server; running Jobs are not stopped'),
	);
});

test('two outages with a response in between do not add up', async () => {
	const { outage, failAfter } = open();
	await failAfter(0);
	await failAfter(15_000);
	outage.observeProgress();
	assert.equal(await failAfter(10_000), false);
	// An hour without responses and without failures: the Job writes nothing.
	assert.equal(await failAfter(3_600_000), false);
	assert.equal(await failAfter(15_000), false);
});

test('a watch that opens ends an outage even if it has no events', async () => {
	const { outage, failAfter } = open();
	const watch = { stop: () => undefined };
	const transport = outage.observing({
		request: () => Promise.reject(BROKEN),
		watch: async () => watch,
		stream: () => Promise.reject(BROKEN),
		duplex: () => Promise.reject(BROKEN),
	});
	const reconnect = (): Promise<unknown> =>
		transport.watch({ method: 'GET', path: '/' }, { events: () => undefined, ended: () => undefined });
	for (const ms of [0, 12_000, 9000, 9000, 9000]) {
		assert.equal(await failAfter(ms), false);
		await reconnect();
	}
	assert.equal(await failAfter(0), false);
	await assert.rejects(transport.request({ method: 'GET', path: '/' }));
	assert.equal(await failAfter(20_000), true, 'a failed response does not end an outage');
});

test('a watch that ends with 410 Gone is not an outage', () => {
	const { outage, reported } = open();
	outage.observeFailure(expired('too old resource version'));
	assert.deepEqual(reported, []);
});

test('a server that stops, and one that refuses, are reported in plain words', () => {
	const texts = [
		new ShortWatchError(),
		new ServerUnreachableError('h:1', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })),
		new ServerUnreachableError('h:1', new Error('aborted')),
		forbidden({ group: '', resource: 'pods', name: '' }, 'no'),
	].map((error) => {
		const { outage, reported } = open();
		outage.observeFailure(error);
		return reported.join();
	});
	assert.deepEqual(texts, [
		'the server ends watches as soon as they are open, as it does while it stops; retrying for 20s',
		'lost the connection to the server (connection refused); retrying for 20s',
		'lost the connection to the server (unexpected EOF); retrying for 20s',
		'Error from server (Forbidden): pods is forbidden: no\nretrying for 20s',
	]);
});
