import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiRequest } from '../../api/contract/transport.ts';
import { API_SERVER } from '../../api/contract/user.ts';
import { isRecord } from '../../base/json/json.ts';
import { Query } from '../query.ts';
import { Seen } from '../testing/seen.ts';
import { openTestServer, refusal, type TestServer } from '../testing/server-contract-suite.ts';

/** Views, by the example of events.k8s.io/v1 Events, which are stored as v1 Events. */

const OLD = '/api/v1/namespaces/default/events';
const NEW = '/apis/events.k8s.io/v1/namespaces/default/events';

function report(name: string, fields: object = {}): Record<string, unknown> {
	return {
		...{ kind: 'Event', apiVersion: 'events.k8s.io/v1', metadata: { name } },
		eventTime: '2026-01-01T00:00:00.000000Z',
		...{ reportingController: 'acme.io/x', reportingInstance: 'x-1', action: 'Look', reason: 'Seen' },
		regarding: { kind: 'Pod', namespace: 'default', name: 'p' },
		...{ note: 'Saw it', type: 'Normal' },
		...fields,
	};
}

/** A transport that fails the test on anything but an object. */
function api({ server }: TestServer) {
	const send = async (request: ApiRequest): Promise<Record<string, unknown>> => {
		const { object } = await server.request(request);
		assert.ok(isRecord(object));
		return object;
	};
	const patch = (path: string, type: string, body: unknown): Promise<Record<string, unknown>> =>
		send({ method: 'PATCH', path, contentType: `application/${type}+json`, body });
	return {
		get: (path: string, query: Record<string, string> = {}) => send({ method: 'GET', path, query }),
		post: (path: string, body: unknown, query: Record<string, string> = {}) =>
			send({ method: 'POST', path, query, body }),
		put: (path: string, body: unknown) => send({ method: 'PUT', path, body }),
		remove: (path: string, query: Record<string, string> = {}) => send({ method: 'DELETE', path, query }),
		patch,
	};
}

/** The body of a GET over a connection, as bytes. */
async function bodyOf({ server }: TestServer, path: string, accept = ''): Promise<unknown> {
	const answer = await server.answer({
		...{ user: API_SERVER, method: 'GET', path, query: new Query(undefined), body: undefined },
		...{ contentType: '', accept, signal: undefined, warnings: [] },
	});
	return JSON.parse(Buffer.concat([...answer.bytes()]).toString());
}

const namesIn = (list: Record<string, unknown>): readonly unknown[] =>
	Array.isArray(list.items) ? list.items.map(({ metadata }) => metadata.name) : [];

test('an object is stored once, and each resource shows it in its own form', async () => {
	const opened = await openTestServer();
	const { get, post } = api(opened);
	const made = await post(NEW, report('a'));
	assert.deepEqual([made.apiVersion, made.note, made.message], ['events.k8s.io/v1', 'Saw it', undefined]);
	const old = await get(`${OLD}/a`);
	assert.deepEqual(
		[old.apiVersion, old.message, old.note, old.reportingComponent, old.involvedObject],
		['v1', 'Saw it', undefined, 'acme.io/x', made.regarding],
	);
	assert.deepEqual(old.metadata, made.metadata);
	await post(OLD, { metadata: { name: 'b' }, involvedObject: made.regarding, message: 'legacy', count: 2 });
	const legacy = await get(`${NEW}/b`);
	assert.deepEqual([legacy.note, legacy.deprecatedCount], ['legacy', 2]);
	for (const path of [OLD, NEW]) assert.deepEqual(namesIn(await get(path)), ['a', 'b']);
	assert.deepEqual((await opened.store.range({ prefix: '/registry/core/events/' })).entries.length, 2);
	assert.deepEqual((await opened.store.range({ prefix: '/registry/events.k8s.io/' })).entries, []);
	opened.server.close();
});

test('the bytes of a view are those of its objects', async () => {
	const opened = await openTestServer();
	const { get, post } = api(opened);
	await post(NEW, report('a'));
	const object = await get(`${NEW}/a`);
	assert.deepEqual(await bodyOf(opened, `${NEW}/a`), object);
	const { kind, apiVersion, ...item } = object;
	const list = await bodyOf(opened, NEW);
	assert.ok(isRecord(list));
	assert.deepEqual([list.kind, list.apiVersion, list.items], [`${kind}List`, apiVersion, [item]]);
	const table = await bodyOf(opened, NEW, 'application/json;as=Table;v=v1;g=meta.k8s.io');
	assert.ok(isRecord(table) && Array.isArray(table.rows));
	assert.deepEqual(table.rows[0].cells.slice(1, 4), ['Normal', 'Seen', 'pod/p']);
	const tried = await post(NEW, report('dry'), { dryRun: 'All' });
	assert.deepEqual(
		[tried.note, isRecord(tried.metadata) && tried.metadata.resourceVersion],
		['Saw it', undefined],
	);
	opened.server.close();
});

test('updates and patches of a view change the stored object', async () => {
	const opened = await openTestServer();
	const { get, post, put, patch } = api(opened);
	const made = await post(NEW, report('a'));
	const series = (count: number) => ({ count, lastObservedTime: '2026-01-01T00:01:00.000000Z' });
	await put(`${NEW}/a`, { ...made, series: series(2) });
	await patch(`${NEW}/a`, 'merge-patch', { metadata: { labels: { a: 'b' } } });
	await patch(`${NEW}/a`, 'json-patch', [{ op: 'replace', path: '/series/count', value: 3 }]);
	const patched = await patch(`${NEW}/a`, 'strategic-merge-patch', { series: { count: 4 } });
	assert.deepEqual(patched.series, series(4));
	const old = await get(`${OLD}/a`);
	assert.deepEqual(old.series, series(4));
	assert.ok(isRecord(old.metadata));
	assert.deepEqual(old.metadata.labels, { a: 'b' });
	const { revision } = opened.store;
	assert.deepEqual(await put(`${NEW}/a`, patched), patched);
	assert.equal(opened.store.revision, revision, 'an update that changes nothing is not stored');
	const stale = await refusal(put(`${NEW}/a`, { ...made, series: series(5) }));
	assert.equal(
		stale.message,
		'Operation cannot be fulfilled on events "a": the object has been modified; please apply your changes to the latest version and try again',
	);
	assert.equal(
		(await refusal(patch(`${NEW}/a`, 'merge-patch', { note: 'other' }))).message,
		'Event "a" is invalid: message: Invalid value: "other": field is immutable',
	);
	// The rules are those of the requested version.
	assert.equal((await patch(`${OLD}/a`, 'merge-patch', { message: 'other' })).message, 'other');
	opened.server.close();
});

test('errors name the stored resource, and decoding expects the requested version', async () => {
	const opened = await openTestServer();
	const { get, post } = api(opened);
	assert.equal((await refusal(get(`${NEW}/a`))).message, 'events "a" not found');
	await post(OLD, { metadata: { name: 'a' }, involvedObject: { namespace: 'default' } });
	assert.equal((await refusal(post(NEW, report('a')))).message, 'events "a" already exists');
	assert.equal(
		(await refusal(post(NEW, report('b', { eventTime: null })))).message,
		'Event "b" is invalid: eventTime: Required value',
	);
	assert.equal(
		(await refusal(post(NEW, { ...report('b'), apiVersion: 'v1' }))).message,
		'the API version in the data (v1) does not match the expected API version (events.k8s.io/v1)',
	);
	const unknown = await refusal(get(NEW, { fieldSelector: 'involvedObject.name=p' }));
	assert.equal(unknown.message, 'field label not supported: involvedObject.name');
	opened.server.close();
});

test('selectors, pages and deletions work by the view', async () => {
	const opened = await openTestServer();
	const { get, post, remove } = api(opened);
	for (const name of ['a', 'b', 'c']) {
		const regarding = { kind: 'Pod', namespace: 'default', name };
		await post(NEW, report(name, { regarding, reportingController: name === 'a' ? 'x' : 'y' }));
	}
	const select = async (fieldSelector: string): Promise<readonly unknown[]> =>
		namesIn(await get(NEW, { fieldSelector }));
	assert.deepEqual(await select('regarding.name=b,regarding.kind=Pod'), ['b']);
	assert.deepEqual(await select('reportingController!=x'), ['b', 'c']);
	assert.deepEqual(await select('metadata.name=c'), ['c']);
	const first = await get(NEW, { limit: '1' });
	assert.ok(isRecord(first.metadata) && typeof first.metadata.continue === 'string');
	await post(NEW, report('d'));
	// The second page shows the revision of the first, which the store has to read.
	assert.deepEqual(namesIn(await get(NEW, { continue: first.metadata.continue })), ['b', 'c']);
	const removed = await remove(`${NEW}/c`);
	assert.ok(isRecord(removed.details));
	assert.deepEqual([removed.details.group, removed.details.kind], [undefined, 'events']);
	await remove(NEW, { fieldSelector: 'reportingController=y' });
	for (const path of [OLD, NEW]) assert.deepEqual(namesIn(await get(path)), ['a', 'd']);
	opened.server.close();
});

test('watches of both resources see each change, from the window and from the log', async () => {
	const opened = await openTestServer();
	const { post, patch, remove } = api(opened);
	const start = String(opened.store.revision);
	const fieldSelector = 'reportingController=acme.io/x';
	const live = await Seen.open(opened.server, NEW, { fieldSelector });
	const core = await Seen.open(opened.server, OLD);
	await post(NEW, report('a'));
	await post(OLD, { metadata: { name: 'other' }, involvedObject: { namespace: 'default' } });
	await patch(`${OLD}/a`, 'merge-patch', { metadata: { labels: { a: 'b' } } });
	await remove(`${NEW}/a`);
	const expected = ['ADDED a', 'MODIFIED a', 'DELETED a'];
	assert.deepEqual(await live.texts(3), expected);
	assert.deepEqual(await core.texts(4), ['ADDED a', 'ADDED other', 'MODIFIED a', 'DELETED a']);
	for (const { object } of live.events) assert.equal(object.apiVersion, 'events.k8s.io/v1');
	for (const { object } of core.events) assert.equal(object.apiVersion, 'v1');
	opened.server.close();
	const again = await openTestServer({ store: opened.store });
	const past = await Seen.open(again.server, NEW, { fieldSelector, resourceVersion: start });
	assert.deepEqual(await past.texts(3), expected);
	for (const { object } of past.events) assert.equal(object.apiVersion, 'events.k8s.io/v1');
	again.server.close();
});

test('an Event that a view wrote is counted and expires once', async () => {
	const opened = await openTestServer();
	const { get, post } = api(opened);
	await post(NEW, report('a'));
	const text = (await Array.fromAsync(opened.metrics.pieces())).join('');
	const counts = text
		.split('\n')
		.filter((line) => line.includes('resource="events"') && line.includes('objects'));
	assert.deepEqual(counts, [
		'apiserver_resource_objects{group="",resource="events"} 1',
		'apiserver_storage_objects{resource="events"} 1',
	]);
	await opened.clock.advance(3_700_000);
	assert.deepEqual(namesIn(await get(NEW)), []);
	assert.deepEqual(namesIn(await get(OLD)), []);
	assert.deepEqual(opened.faults, []);
	opened.server.close();
});
