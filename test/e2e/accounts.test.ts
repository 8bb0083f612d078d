import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type Finished, run, temporaryFolder } from '../support/processes.ts';
import { type StintServer, startStint } from '../support/stint-server.ts';

/** ConfigMaps, Secrets and ServiceAccounts with their tokens, by real kubectl. */

function ok({ code, stdout, stderr }: Finished): string {
	assert.equal(code, 0, stderr);
	return stdout;
}

/** Runs kubectl with a token instead of the administrator's kubeconfig. */
function kubectlAs(server: StintServer, token: string, ...args: readonly string[]): Promise<Finished> {
	const authority = join(server.folder, 'pki', 'ca.crt');
	const access = ['--server', server.url, '--certificate-authority', authority, '--token', token];
	return run('kubectl', [...args, ...access], { env: { ...server.env, KUBECONFIG: '/dev/null' } });
}

function files(t: TestContext): (name: string, content: string | Uint8Array) => string {
	const folder = temporaryFolder(t);
	return (name, content) => {
		const path = join(folder, name);
		writeFileSync(path, content);
		return path;
	};
}

test('kubectl creates ConfigMaps and Secrets, and stint describes them in the same words', async (t) => {
	const server = await startStint(t);
	const file = files(t);
	const text = file('text.txt', 'one\ntwo\n');
	const binary = file('raw.bin', Uint8Array.of(0xff, 0, 1));
	const variables = file('variables', '# comment\nA=1\nB=two words\n');
	const create = async (...args: readonly string[]): Promise<void> =>
		void ok(await server.kubectl('create', ...args));
	const from = [`--from-file=${text}`, `--from-file=raw=${binary}`, '--from-literal=k=v'];
	await create('configmap', 'mixed', ...from);
	await create('configmap', 'variables', `--from-env-file=${variables}`);
	await create('secret', 'generic', 'mixed', ...from);
	const docker = ['--docker-server=r.example', '--docker-username=u', '--docker-password=hunter2'];
	await create('secret', 'docker-registry', 'pull', ...docker);
	await t.test('the values are stored', async () => {
		const json = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
			JSON.parse(ok(await server.kubectl('get', ...args, '-o', 'json')));
		const { data, binaryData } = await json('configmap', 'mixed');
		assert.deepEqual([data, binaryData], [{ k: 'v', 'text.txt': 'one\ntwo\n' }, { raw: '/wAB' }]);
		assert.deepEqual((await json('configmap', 'variables')).data, { A: '1', B: 'two words' });
		const secret = await json('secret', 'mixed');
		assert.deepEqual(secret.data, { k: 'dg==', raw: '/wAB', 'text.txt': 'b25lCnR3bwo=' });
	});
	await t.test('stint prints the same as kubectl', async () => {
		for (const command of [
			...['describe cm mixed', 'describe secret mixed pull', 'describe sa default', 'get cm mixed -o yaml'],
			...['get secret', 'get secret mixed -o yaml', 'get sa -A -o name'],
		]) {
			const [theirs, ours] = [
				await server.kubectl(...command.split(' ')),
				await server.stint(...command.split(' ')),
			];
			// kubectl describes the keys of a map in random order.
			const sorted = (output: string): readonly string[] =>
				output
					.replace(/ +\d+s\b/g, ' AGE')
					.split('\n')
					.sort();
			assert.deepEqual(sorted(ok(ours)), sorted(ok(theirs)), command);
		}
	});
	await t.test('apply merges stringData, and a refused change shows no value', async () => {
		const manifest = (value: string): string =>
			`apiVersion: v1\nkind: Secret\nmetadata: {name: applied}\nstringData: {password: ${value}}\n`;
		for (const value of ['first', 'hunter2'])
			ok(await server.kubectlWith(manifest(value), 'apply', '-f', '-'));
		const shown = ok(await server.kubectl('get', 'secret', 'applied', '-o', 'jsonpath={.data.password}'));
		assert.equal(Buffer.from(shown, 'base64').toString(), 'hunter2');
		const patch = ['patch', 'secret', 'applied', '--type=merge', '-p', '{"data":{"x":"*"}}'];
		const { code, stderr } = await server.kubectl(...patch);
		assert.equal(code, 1);
		assert.match(stderr, /<secret contents redacted>.*illegal base64 data at input byte 0/);
	});
	await t.test('the log of the server has none of the values', () => {
		assert.doesNotMatch(server.process.stdout + server.process.stderr, /hunter2|aHVudGVyMg|dg==/);
	});
});

test('a ServiceAccount authenticates with its token, and may do nothing else', async (t) => {
	const server = await startStint(t);
	ok(await server.kubectl('create', 'serviceaccount', 'builder'));
	const token = ok(await server.kubectl('create', 'token', 'builder', '--duration=10m')).trim();
	const as = (...args: readonly string[]): Promise<Finished> => kubectlAs(server, token, ...args);
	await t.test('stint create token prints a token of the same account', async () => {
		const other = ok(
			await server.stint('create', 'token', 'builder', '--duration=10m', '-n', 'default'),
		).trim();
		const { status } = JSON.parse(ok(await kubectlAs(server, other, 'auth', 'whoami', '-o', 'json')));
		assert.equal(status.userInfo.username, 'system:serviceaccount:default:builder');
		ok(await server.stint('create', 'sa', 'second'));
		const wrong = ['create', 'token', 'second', '--duration=1m'];
		const [theirs, ours] = [await server.kubectl(...wrong), await server.stint(...wrong)];
		assert.deepEqual([ours.code, ours.stderr], [theirs.code, theirs.stderr]);
	});
	await t.test('auth whoami names the account', async () => {
		const { status } = JSON.parse(ok(await as('auth', 'whoami', '-o', 'json')));
		assert.equal(status.userInfo.username, 'system:serviceaccount:default:builder');
		assert.deepEqual(status.userInfo.groups, [
			...['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
		]);
		assert.match(ok(await server.kubectl('auth', 'whoami')), /Username +kubernetes-admin/);
	});
	await t.test(
		'a program in a container finds the API by its variables, and uses the token of a Secret',
		async () => {
			const annotations = { 'kubernetes.io/service-account.name': 'builder' };
			const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tok', annotations } };
			const script = [
				'const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;',
				"fetch('https://' + host + ':' + port + '/version', {",
				"headers: { authorization: 'Bearer ' + require('fs').readFileSync('/tok/token', 'utf8') } })",
				'.then((answer) => answer.json()).then(({ gitVersion }) => console.log(gitVersion))',
			].join(' ');
			const container = {
				...{ name: 'main', image: 'node', command: [process.execPath, '-e', script] },
				env: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/tok/ca.crt' }],
				volumeMounts: [{ name: 'tok', mountPath: '/tok' }],
			};
			const volumes = [{ name: 'tok', secret: { secretName: 'tok' } }];
			const pod = {
				...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'inside' } },
				spec: { restartPolicy: 'Never', containers: [container], volumes },
			};
			const typed = { ...secret, type: 'kubernetes.io/service-account-token' };
			ok(await server.kubectlWith(JSON.stringify(typed), 'create', '-f', '-'));
			ok(await server.kubectl('wait', '--for=jsonpath={.data.token}', 'secret/tok'));
			ok(await server.kubectlWith(JSON.stringify(pod), 'create', '-f', '-'));
			ok(await server.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/inside'));
			assert.match(ok(await server.kubectl('logs', 'inside')), /^v1\.37/);
		},
	);
	await t.test('it may read about the API, but no object', async () => {
		assert.match(ok(await as('api-resources')), /^configmaps +cm/m);
		const text =
			'Error from server (Forbidden): pods is forbidden: User "system:serviceaccount:default:builder" cannot list resource "pods" in API group "" in the namespace "default"\n';
		const { code, stderr } = await as('get', 'pods');
		assert.deepEqual([code, stderr], [1, text]);
	});
	await t.test(
		'the token survives a restart of the server, and ends with a Secret it is bound to',
		async () => {
			ok(await server.kubectl('create', 'secret', 'generic', 'bound'));
			const bound = ['--bound-object-kind=Secret', '--bound-object-name=bound'];
			const second = ok(await server.kubectl('create', 'token', 'builder', ...bound)).trim();
			await server.stop();
			const restarted = await startStint(t, { folder: server.folder });
			ok(await kubectlAs(restarted, token, 'auth', 'whoami'));
			ok(await kubectlAs(restarted, second, 'auth', 'whoami'));
			ok(await restarted.kubectl('delete', 'secret', 'bound'));
			assert.match((await kubectlAs(restarted, second, 'auth', 'whoami')).stderr, /Unauthorized/);
			ok(await kubectlAs(restarted, token, 'auth', 'whoami'));
		},
	);
});
