import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiRequest } from '../../api/contract/transport.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { Random } from '../../base/random.ts';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import type { Client } from '../../client/client.ts';
import { PodTokens } from './pod-tokens.ts';

const POD = { metadata: { name: 'p', namespace: 'ns', uid: 'u' } } as unknown as Pod;
const NEED = { serviceAccount: 'default', audience: '', expirationSeconds: 3600 };
const MINUTE = 60_000;

const NO_JITTER: Random = { next: () => 0 } as Random;

/** Tokens from a server whose answers are numbered; `fails` is the message of its error. */
function tokensAt(clock: VirtualClock) {
	const requests: ApiRequest[] = [];
	const due: string[] = [];
	const server: { fails: string | undefined } = { fails: undefined };
	const request = async (asked: ApiRequest) => {
		requests.push(asked);
		if (server.fails !== undefined) throw new Error(server.fails);
		const expirationTimestamp = formatTime(clock.now() + NEED.expirationSeconds * 1000);
		return { code: 201, object: { status: { token: `jwt${requests.length}`, expirationTimestamp } } };
	};
	const tokens = new PodTokens({
		client: { transport: { request } } as unknown as Client,
		clock,
		random: NO_JITTER,
		due: (uid) => void due.push(uid),
		onError: () => {},
	});
	return { tokens, requests, due, server };
}

test('a token is bound to its Pod, kept, and renewed after 80 % of its life', async () => {
	const clock = new VirtualClock();
	const { tokens, requests, due } = tokensAt(clock);
	assert.equal(await tokens.read(POD, NEED), 'jwt1');
	assert.equal(requests[0]?.path, '/api/v1/namespaces/ns/serviceaccounts/default/token');
	assert.deepEqual(requests[0]?.body, {
		apiVersion: 'authentication.k8s.io/v1',
		kind: 'TokenRequest',
		spec: {
			audiences: [],
			expirationSeconds: 3600,
			boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' },
		},
	});
	clock.advance(47 * MINUTE);
	assert.deepEqual([await tokens.read(POD, NEED), due], ['jwt1', []]);
	clock.advance(MINUTE);
	assert.deepEqual(due, ['u']);
	assert.equal(await tokens.read(POD, NEED), 'jwt2');
	assert.equal(await tokens.read(POD, { ...NEED, audience: 'vault' }), 'jwt3');
});

test('a renewal that fails keeps the old token until that expires, and is retried', async () => {
	const clock = new VirtualClock();
	const { tokens, due, server } = tokensAt(clock);
	server.fails = 'serviceaccounts "default" not found';
	await assert.rejects(tokens.read(POD, NEED), {
		message: 'failed to fetch token: serviceaccounts "default" not found',
	});
	server.fails = undefined;
	await tokens.read(POD, NEED);
	server.fails = 'away';
	clock.advance(48 * MINUTE);
	assert.equal(await tokens.read(POD, NEED), 'jwt2');
	clock.advance(MINUTE);
	assert.deepEqual(due, ['u', 'u']);
	clock.advance(15 * MINUTE);
	await assert.rejects(tokens.read(POD, NEED), /expired and refresh failed: away$/);
});

test('a token is renewed although the wall clock was set back', async () => {
	const clock = new VirtualClock();
	const { tokens } = tokensAt(clock);
	await tokens.read(POD, NEED);
	clock.setWallClock(clock.now() - 24 * 60 * MINUTE);
	clock.advance(48 * MINUTE);
	assert.equal(await tokens.read(POD, NEED), 'jwt2');
});

test('a token of a Pod that is gone is not renewed', async () => {
	const clock = new VirtualClock();
	const { tokens, due } = tokensAt(clock);
	await tokens.read(POD, NEED);
	tokens.forget('u');
	clock.advance(100 * MINUTE);
	assert.deepEqual(due, []);
});
