import assert from 'node:assert/strict';
import test from 'node:test';
import type { FuzzClient } from '../fuzz/fuzz-client.ts';
import { LONGEST_HOLD_MS, startGuarded } from './guarded-server.ts';
import { bodyOf, JSON_TYPE, MERGE, PODS, pod, request, TABLE, times } from './parts.ts';

/** Reads of Pods that are at their size limit, as they are now and as they were. */

/** How many Pods there are: 200 MB. */
const LARGE_PODS = 70;

/** Makes the Pods; returns the resourceVersion of the first one. */
async function prepare(client: FuzzClient): Promise<string> {
	const args = times(700, () => 'x'.repeat(2_000));
	const status = { message: 'y'.repeat(1_500_000) };
	let first = '';
	for (const name of times(LARGE_PODS, (i) => `large-${i}`)) {
		const made = await client.send(request('POST', PODS, bodyOf(JSON_TYPE, pod(name, {}, {}, { args }))));
		assert.equal(made.status, 201, made.text);
		first ||= /"resourceVersion":"(\d+)"/.exec(made.text)?.[1] ?? '';
		const changed = await client.send(request('PATCH', `${PODS}/${name}/status`, bodyOf(MERGE, { status })));
		assert.equal(changed.status, 200, changed.text);
	}
	return first;
}

test('no turn of the event loop is long where Pods at their size limit are read', async (t) => {
	const { client, heldMs } = await startGuarded(t);
	const first = await prepare(client);
	const page = await client.send(request('GET', `${PODS}?limit=1`));
	const token = /"continue":"([^"]+)"/.exec(page.text)?.[1] ?? '';
	assert.notEqual(token, '');
	// From now on the pages of that list are no longer those that the cache holds.
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
