import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { atEnd, ROOT, Running, run } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/** Real kubectl and curl reach Pods by the subresource `proxy`, on the runtime for host processes. */

const PROGRAM = `
const server = require('node:http').createServer(async (request, response) => {
	const { method, url } = request;
	if (url === '/page') return response.setHeader('content-type', 'text/html').end('<a href="/next">');
	if (url === '/forever') {
		response.write('one ');
		response.on('close', () => console.log('the client has gone'));
		return;
	}
	let size = 0;
	for await (const piece of request) size += piece.length;
	response.end(method + ' ' + url + ' ' + size + '\\n');
});
server.listen(0, '127.0.0.1', () => console.log('listens on ' + server.address().port + '.'));
`;

interface World {
	readonly server: StintServer;
	readonly port: string;
}

async function world(t: TestContext): Promise<World> {
	const server = await startStint(t);
	const command = [process.execPath, '-e', PROGRAM];
	const manifest = {
		...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { app: 'web' } } },
		spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'node', command }] },
	};
	const applied = await server.kubectlWith(JSON.stringify(manifest), 'apply', '-f', '-');
	assert.equal(applied.code, 0, applied.stderr);
	atEnd(t, async () => void (await server.kubectl('delete', 'pod', 'web', '--grace-period=1')));
	const ready = await server.kubectl('wait', '--for=condition=Ready', '--timeout=30s', 'pod/web');
	assert.equal(ready.code, 0, ready.stderr);
	const follow = new Running('kubectl', ['logs', '-f', 'web'], server.env);
	atEnd(t, async () => void follow.child.kill());
	const [, port = ''] = await follow.printed(/listens on (\d+)\./);
	return { server, port };
}

const PODS = '/api/v1/namespaces/default/pods';
const SERVICES = '/api/v1/namespaces/default/services';

/** The text that curl gets. */
async function curl(...args: readonly string[]): Promise<string> {
	return (await run('curl', ['-s', ...args])).stdout;
}

test('kubectl get --raw gets an answer of a Pod, and by the Service of the Pod', async (t) => {
	const { server, port } = await world(t);
	const got = await server.kubectl('get', '--raw', `${PODS}/web:${port}/proxy/path?q=1`);
	assert.deepEqual([got.code, got.stdout], [0, 'GET /path?q=1 0\n'], got.stderr);
	const exposed = await server.kubectl('expose', 'pod', 'web', '--port=80', `--target-port=${port}`);
	assert.equal(exposed.code, 0, exposed.stderr);
	const slices = ['endpointslices', '-l', 'kubernetes.io/service-name=web'];
	const found = await server.kubectl('wait', '--for=create', '--timeout=30s', ...slices);
	assert.equal(found.code, 0, found.stderr);
	const byService = await server.kubectl('get', '--raw', `${SERVICES}/web:80/proxy/path`);
	assert.deepEqual([byService.code, byService.stdout], [0, 'GET /path 0\n'], byService.stderr);
	const refused = await server.kubectl('get', '--raw', `${PODS}/web:1/proxy/`);
	assert.match(refused.stderr, /error trying to reach service: dial tcp \S+:1: connect: connection refused/);
});

test('curl reaches a Pod through kubectl proxy and through stint proxy', async (t) => {
	const { server, port } = await world(t);
	for (const program of ['kubectl', join(ROOT, 'stint')]) {
		const proxy = new Running(program, ['proxy', '--port=0'], server.env);
		atEnd(t, async () => void proxy.child.kill());
		const [, at = ''] = await proxy.printed(/Starting to serve on (127\.0\.0\.1:\d+)/);
		const base = `http://${at}${PODS}/web:${port}/proxy`;
		assert.equal(await curl('-L', base), 'GET / 0\n');
		assert.equal(await curl('-X', 'POST', '--data', 'abc', `${base}/form`), 'POST /form 3\n');
		assert.equal(await curl(`${base}/page`), `<a href="${PODS}/web:${port}/proxy/next">`);
		const page = ['-H', `Origin: http://${at}`, '--data', 'a'];
		assert.equal(await curl(...page, `${base}/form`), 'POST /form 1\n');
		const waiting = new Running('curl', ['-s', '-N', `${base}/forever`], server.env);
		await waiting.printed(/one/);
		waiting.child.kill();
		const follow = new Running('kubectl', ['logs', '-f', '--tail=1', 'web'], server.env);
		await follow.printed(/the client has gone/);
		follow.child.kill();
		assert.match(
			await curl('-o', '/dev/null', '-w', '%{http_code}', `http://${at}${PODS}/web/exec`),
			/^403$/,
		);
		const watch = new Running('curl', ['-s', '-N', `http://${at}${PODS}?watch=1`], server.env);
		await watch.printed(/"ADDED"/);
		watch.child.kill();
		proxy.child.kill();
		await proxy.finished;
	}
});
