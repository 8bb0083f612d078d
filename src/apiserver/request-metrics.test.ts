import assert from 'node:assert/strict';
import test from 'node:test';
import { JOBS, openTestServer, PODS, podNamed, type TestServer } from './testing/server-contract-suite.ts';

/** The series of a metric whose labels contain `part`, without quotes, and their values. */
async function series({ metrics }: TestServer, name: string, part: string): Promise<readonly string[]> {
	return (await metrics.text())
		.split('\n')
		.filter((line) => line.startsWith(`${name}{`))
		.map((line) => line.slice(name.length).replaceAll('"', ''))
		.filter((line) => line.includes(part));
}

test('requests are counted by verb, resource and status code', async () => {
	const opened = await openTestServer();
	const { server } = opened;
	const dryRun = { dryRun: 'All' };
	await server.request({ method: 'POST', path: PODS, body: podNamed('a') });
	await server.request({ method: 'POST', path: PODS, body: podNamed('b'), query: dryRun });
	await server.request({ method: 'GET', path: `${PODS}/a` });
	await server.request({ method: 'GET', path: PODS });
	await server.request({ method: 'GET', path: '/api/v1/pods' });
	await assert.rejects(server.request({ method: 'GET', path: `${PODS}/a/status/deeper` }));
	await assert.rejects(server.request({ method: 'GET', path: `${PODS}/gone` }));
	await server.request({ method: 'DELETE', path: PODS });
	await server.request({ method: 'GET', path: '/version' });
	const group = 'group=,version=v1,resource=pods,subresource=';
	const got = `verb=GET,dry_run=,${group}`;
	assert.deepEqual(await series(opened, 'apiserver_request_total', 'resource=pods'), [
		`{verb=POST,dry_run=,${group},scope=resource,component=apiserver,code=201} 1`,
		`{verb=POST,dry_run=All,${group},scope=resource,component=apiserver,code=201} 1`,
		`{verb=GET,dry_run=,${group},scope=resource,component=apiserver,code=200} 1`,
		`{verb=LIST,dry_run=,${group},scope=namespace,component=apiserver,code=200} 1`,
		`{verb=LIST,dry_run=,${group},scope=cluster,component=apiserver,code=200} 1`,
		`{verb=GET,dry_run=,${group},scope=resource,component=apiserver,code=404} 1`,
		`{verb=DELETE,dry_run=,${group},scope=namespace,component=apiserver,code=200} 1`,
	]);
	assert.deepEqual(await series(opened, 'apiserver_request_duration_seconds_count', got), [
		`{verb=GET,dry_run=,${group},scope=resource,component=apiserver} 2`,
	]);
	server.close();
});

test('a watch is open until the client or the server ends it, and is counted then', async () => {
	const opened = await openTestServer();
	const sink = { events: () => undefined, ended: () => undefined };
	const labels = 'group=batch,version=v1,resource=jobs,subresource=';
	const first = await opened.server.watch({ method: 'GET', path: JOBS, query: { watch: '1' } }, sink);
	const query = { watch: '1', timeoutSeconds: '5' };
	await opened.server.watch({ method: 'GET', path: JOBS, query }, sink);
	const longRunning = (): Promise<readonly string[]> =>
		series(opened, 'apiserver_longrunning_requests', 'resource=jobs');
	const open = `{verb=WATCH,${labels},scope=namespace,component=apiserver}`;
	assert.deepEqual(await longRunning(), [`${open} 2`]);
	assert.deepEqual(await series(opened, 'apiserver_request_total', 'WATCH'), []);
	opened.clock.advance(5000);
	assert.deepEqual(await longRunning(), [`${open} 1`]);
	first.stop();
	first.stop();
	assert.deepEqual(await longRunning(), []);
	const ended = `{verb=WATCH,dry_run=,${labels},scope=namespace,component=apiserver`;
	assert.deepEqual(await series(opened, 'apiserver_request_total', 'WATCH'), [`${ended},code=200} 2`]);
	assert.deepEqual(await series(opened, 'apiserver_request_duration_seconds_sum', 'WATCH'), [`${ended}} 10`]);
	const late = { watch: '1', resourceVersionMatch: 'Exact' };
	await assert.rejects(opened.server.watch({ method: 'GET', path: JOBS, query: late }, sink));
	assert.deepEqual(await series(opened, 'apiserver_request_total', 'code=422'), [`${ended},code=422} 1`]);
	opened.server.close();
});

test('requests in progress are counted', async () => {
	const opened = await openTestServer();
	const inFlight = (): Promise<readonly string[]> =>
		series(opened, 'apiserver_current_inflight_requests', '');
	const creation = opened.server.request({ method: 'POST', path: PODS, body: podNamed('a') });
	assert.deepEqual(await inFlight(), ['{request_kind=mutating} 1', '{request_kind=readOnly} 0']);
	await creation;
	assert.deepEqual(await inFlight(), ['{request_kind=mutating} 0', '{request_kind=readOnly} 0']);
	opened.server.close();
});

test('the stored objects of each resource are counted', async () => {
	const opened = await openTestServer();
	for (const name of ['a', 'b']) {
		await opened.server.request({ method: 'POST', path: PODS, body: podNamed(name) });
	}
	assert.deepEqual(await series(opened, 'apiserver_resource_objects', 'pods'), ['{group=,resource=pods} 2']);
	assert.deepEqual(await series(opened, 'apiserver_storage_objects', '=jobs'), ['{resource=jobs.batch} 0']);
	opened.server.close();
});
