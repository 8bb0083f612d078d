import assert from 'node:assert/strict';
import test from 'node:test';
import type { FuzzClient } from '../fuzz/fuzz-client.ts';
import { LONGEST_HOLD_MS, startGuarded } from './guarded-server.ts';
import { bodyOf, JSON_TYPE, MERGE, PODS, pod, request, TABLE, times } from './parts.ts';

/**
 * Reads of Pods at their size limit, of the current revision and of older ones, which the cache does not
 * hold.
 */

/** The number of Pods, 200 MB in total. */
const LARGE_PODS = 70;

/** Creates the Pods; returns the resourceVersion of the first one. */
async function prepare(client: FuzzClient): Promise<string> {
	const args = times(700, () => 'x'.repeat(2_000));
	const status = { message: 'y'.repeat(1_500_000) };
	let first = '';
	for (const name of times(LARGE_PODS, (i) => `large-${i}`)) {
		const created = await client.send(request('POST', PODS, bodyOf(JSON_TYPE, pod(name, {}, {}, { args }))));
		assert.equal(created.status, 201, created.text);
		first ||= /"resourceVersion":"(\d+)"/.exec(created.text)?.[1] ?? '';
		const changed = await client.send(request('PATCH', `${PODS}/${name}/status`, bodyOf(MERGE, { status })));
		assert.equal(changed.status, 200, changed.text);
	}
	return first;
}

test('no read of Pods at their size limit blocks the event loop', async (t) => {
	const { client, heldMs } = await startGuarded(t);
	const first = await prepare(client);
	const page = await client.send(request('GET', `${PODS}?limit=1`));
	const token = /"continue":"([^"]+)"/.exec(page.text)?.[1] ?? '';
	assert.notEqual(token, '');
	// A write makes the revision of that list an old one: its next pages come from the store and not from the
	// cache.
	const other = await client.send(request('POST', PODS, bodyOf(JSON_TYPE, pod('other'))));
	assert.equal(other.status, 201, other.text);
	await heldMs();
	const rows: readonly (readonly [name: string, query: string, accept?: string])[] = [
		['the next page of one', `limit=1&continue=${token}`],
		['the next page as a Table', `limit=1&continue=${token}`, TABLE],
		['a page of the rest of the list', `limit=20&continue=${token}`],
		['the rest of the list by label', `labelSelector=a&continue=${token}`],
		['an exact revision', `limit=1&resourceVersionMatch=Exact&resourceVersion=${first}`],
		['the list', ''],
		['the list as a Table', '', TABLE],
		['a page of the list, indented', 'limit=5&pretty=true'],
		['a watch', 'watch=1'],
		['a watch from the past', `watch=1&resourceVersion=${first}`],
		['a watch from the past by label', `watch=1&labelSelector=a&resourceVersion=${first}`],
	];
	for (const [name, query, accept = JSON_TYPE] of rows) {
		await t.test(name, async () => {
			const { status, text } = await client.send({ ...request('GET', `${PODS}?${query}`), accept });
			assert.equal(status, 200, text);
			const held = await heldMs();
			assert.ok(held < LONGEST_HOLD_MS, `the event loop was held for ${held} ms of CPU time`);
		});
	}
});
