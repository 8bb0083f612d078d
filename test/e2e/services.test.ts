import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { atEnd, type Finished, ROOT, run, temporaryFolder } from '../support/processes.ts';
import { startStint } from '../support/stint-server.ts';

/** Services of a server in a process of its own, seen with real kubectl. */

function ok(finished: Finished): string {
	assert.equal(finished.code, 0, `${finished.stdout}\n${finished.stderr}`);
	return finished.stdout;
}

const POD = {
	apiVersion: 'v1',
	kind: 'Pod',
	metadata: { name: 'web', labels: { app: 'web' } },
	spec: {
		terminationGracePeriodSeconds: 1,
		containers: [
			{
				name: 'main',
				image: 'busybox',
				command: ['sleep', '600'],
				ports: [{ name: 'http', containerPort: 8080 }],
			},
		],
	},
};

test('kubectl exposes a Pod, and its endpoints follow it', async (t) => {
	const server = await startStint(t);
	ok(await server.kubectlWith(JSON.stringify(POD), 'apply', '-f', '-'));
	atEnd(
		t,
		async () => void (await server.kubectl('delete', 'pod', 'web', '--ignore-not-found', '--grace-period=1')),
	);
	ok(await server.kubectl('expose', 'pod', 'web', '--port=80', '--target-port=http'));
	ok(await server.kubectl('wait', '--for=condition=Ready', '--timeout=60s', 'pod/web'));
	const slices = ['endpointslices', '-l', 'kubernetes.io/service-name=web'] as const;
	const ready = '--for=jsonpath={.endpoints[0].conditions.ready}=true';
	ok(await server.kubectl('wait', ready, '--timeout=60s', ...slices));
	assert.match(ok(await server.kubectl('describe', 'svc', 'web')), /^Endpoints: +127\.0\.0\.1:8080$/m);
	const mine = ok(await server.stint('describe', 'svc', 'web'));
	assert.equal(mine, ok(await server.kubectl('describe', 'svc', 'web')));
	ok(await server.kubectl('delete', 'pod', 'web', '--grace-period=1'));
	assert.match(
		ok(await server.kubectl('get', 'svc', 'web', '--no-headers')),
		/^web +ClusterIP +127\.\d+\.\d+\.\d+ /,
	);
	let described = '';
	for (let tries = 0; tries < 100 && !/^Endpoints: *$/m.test(described); tries++) {
		described = ok(await server.kubectl('describe', 'svc', 'web'));
	}
	assert.match(described, /^Endpoints: *$/m);
	ok(await server.kubectl('delete', 'svc', 'web'));
	ok(await server.kubectl('wait', '--for=delete', '--timeout=60s', 'endpoints/web'));
});

test('the Service of the API server follows the port and the range of each server', async (t) => {
	const folder = temporaryFolder(t);
	const first = await startStint(t, { folder });
	const at = (port: string): readonly string[] => [
		'wait',
		'--timeout=60s',
		`--for=jsonpath={.subsets[0].ports[0].port}=${port}`,
		'endpoints/kubernetes',
	];
	ok(await first.kubectl('wait', '--for=create', '--timeout=60s', 'svc/kubernetes'));
	const given = ok(await first.kubectl('get', 'svc', 'kubernetes', '-o=jsonpath={.spec.clusterIP}'));
	assert.match(given, /^127\.\d+\.0\.1$/);
	ok(await first.kubectl('wait', '--for=create', '--timeout=60s', 'endpoints/kubernetes'));
	ok(await first.kubectl(...at(new URL(first.url).port)));
	await first.stop();
	const second = await startStint(t, { folder, args: ['--service-cluster-ip-range', '10.96.0.0/16'] });
	ok(await second.kubectl(...at(new URL(second.url).port)));
	// The Service is replaced, so that a wait for the first one could end with NotFound.
	let clusterIp = '';
	for (let tries = 0; tries < 100 && clusterIp !== '10.96.0.1'; tries++) {
		const path = '-o=jsonpath={.spec.clusterIP}';
		clusterIp = (await second.kubectl('get', 'svc', 'kubernetes', path)).stdout;
	}
	assert.equal(clusterIp, '10.96.0.1');
	const args = ['server', '--data-dir', temporaryFolder(t), '--service-cluster-ip-range', '10.0.0.0'];
	const refused = await run(join(ROOT, 'stint'), args);
	assert.deepEqual(
		[refused.code, refused.stderr],
		[
			1,
			'error: --service-cluster-ip-range: must be an IPv4 range with a prefix of 8 to 30 bits, such as 10.96.0.0/16, not "10.0.0.0"\n',
		],
	);
});
