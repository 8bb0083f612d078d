import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import fc from 'fast-check';
import { KubeconfigError, readKubeconfig, type ServerAccess, writeKubeconfig } from './kubeconfig.ts';

const FILES: Readonly<Record<string, string>> = {
	'/k/ca.pem': 'CA',
	'/k/secret/token': 'from-file\n',
	'/abs/key.pem': 'KEY',
};

function readFile(path: string): Promise<string> {
	const text = FILES[path];
	return text === undefined ? Promise.reject(new Error(`ENOENT: ${path}`)) : Promise.resolve(text);
}

function read(text: string, context?: string): Promise<ServerAccess> {
	return readKubeconfig([{ path: '/k/config', text }], { readFile, ...(context && { context }) });
}

const TWO = `
apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c1
  cluster: {server: "https://127.0.0.1:6443", certificate-authority: ca.pem}
- name: c2
  cluster: {server: "https://example.com:443/prefix", insecure-skip-tls-verify: true, tls-server-name: other}
users:
- name: u1
  user: {tokenFile: secret/token}
- name: u2
  user: {client-certificate-data: ${btoa('CERT')}, client-key: /abs/key.pem}
contexts:
- name: one
  context: {cluster: c1, user: u1, namespace: demo}
- name: two
  context: {cluster: c2, user: u2}
- name: anonymous
  context: {cluster: c1}
- name: dangling
  context: {cluster: nowhere, user: u1}
`;

test('the current context determines server, namespace and credentials; paths are relative to the file', async () => {
	assert.deepEqual(await read(TWO), {
		server: 'https://127.0.0.1:6443',
		namespace: 'demo',
		certificateAuthority: 'CA',
		token: 'from-file',
	});
});

test('a caller can choose another context, here one with a client certificate', async () => {
	assert.deepEqual(await read(TWO, 'two'), {
		server: 'https://example.com:443/prefix',
		namespace: 'default',
		skipTlsVerify: true,
		tlsServerName: 'other',
		clientCertificate: 'CERT',
		clientKey: 'KEY',
	});
});

test('a context may have no user', async () => {
	assert.equal((await read(TWO, 'anonymous')).token, undefined);
});

test('a written kubeconfig is read back unchanged, even with special characters in the token', async () => {
	const written = writeKubeconfig({
		name: 'stint',
		server: 'https://127.0.0.1:1234',
		certificateAuthority: '-----BEGIN CERTIFICATE-----\nxyz\n-----END CERTIFICATE-----\n',
		token: 'a: "b" # c',
	});
	assert.deepEqual(await read(written), {
		server: 'https://127.0.0.1:1234',
		namespace: 'default',
		certificateAuthority: '-----BEGIN CERTIFICATE-----\nxyz\n-----END CERTIFICATE-----\n',
		token: 'a: "b" # c',
	});
});

test('the socket of a written kubeconfig belongs to the address in the same entry', async () => {
	const server = 'https://127.0.0.1:1234';
	const access = { name: 'stint', server, certificateAuthority: 'CA', token: 't', socket: '/d "a"/api.sock' };
	const written = writeKubeconfig(access);
	const wanted = {
		server,
		namespace: 'default',
		certificateAuthority: 'CA',
		token: 't',
		socket: access.socket,
	};
	assert.deepEqual(await read(written), wanted);
	assert.deepEqual(await read(`${written}# edited\n`), wanted);
	const tunnel = written.replace('    server:', '    tls-server-name: localhost\n    server:');
	assert.equal((await read(tunnel)).socket, access.socket);
	const moved = written.replace(`    server: "${server}"\n    cert`, '    server: "https://a:1"\n    cert');
	assert.notEqual(moved, written);
	assert.deepEqual((await read(moved)).socket, undefined);
	const foreign = written.replace('- name: stint\n      ext', '- name: other\n      ext');
	assert.notEqual(foreign, written);
	assert.equal((await read(foreign)).socket, undefined);
});

test('a written kubeconfig is read the same with and without a YAML library', async () => {
	await fc.assert(
		fc.asyncProperty(fc.string({ unit: 'binary' }), fc.string(), async (token, name) => {
			const server = 'https://127.0.0.1:1234';
			const written = writeKubeconfig({
				name: name || 'n',
				server,
				certificateAuthority: name.slice(0, 3),
				token,
				...(name.length > 3 && { socket: `/${name}` }),
			});
			assert.deepEqual(await read(written), await read(`${written}# and more\n`));
		}),
		{ numRuns: 50 },
	);
});

test('reading a written kubeconfig loads no YAML library', async () => {
	const written = writeKubeconfig({ name: 'a', server: 'https://b', certificateAuthority: 'c', token: 'd' });
	const script = `
		import { registerHooks } from 'node:module';
		registerHooks({ resolve: (name, context, next) => name === 'yaml' ? { url: 'data:text/javascript,throw Error("yaml")', shortCircuit: true } : next(name, context) });
		const { readKubeconfig } = await import(${JSON.stringify(new URL('./kubeconfig.ts', import.meta.url).href)});
		const read = (text) => readKubeconfig([{ path: 'k', text }], {}).then(({ token }) => token, ({ message }) => message);
		const written = ${JSON.stringify(written)};
		console.log(await read(written), await read(written + '#'));`;
	const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script]);
	assert.equal(stdout.toString(), 'd yaml\n');
});

test('the first entry of a name in several files wins', async () => {
	const first = 'contexts: [{name: one, context: {cluster: c2}}]';
	const access = await readKubeconfig(
		[
			{ path: '/k/first', text: first },
			{ path: '/k/config', text: TWO },
		],
		{ readFile },
	);
	assert.equal(access.server, 'https://example.com:443/prefix');
});

test('an unusable kubeconfig is rejected with its file and the reason', async () => {
	const refused = async (text: string, pattern: RegExp, context?: string): Promise<void> => {
		await assert.rejects(read(text, context), (error) => {
			assert.ok(error instanceof KubeconfigError);
			assert.match(error.message, /^\/k\/config: /);
			assert.match(error.message, pattern);
			return true;
		});
	};
	await refused('', /no current-context is set/);
	await refused('just text', /not a kubeconfig/);
	await refused('a: [', /.+/);
	await refused(TWO, /context "three" does not exist/, 'three');
	await refused(TWO, /cluster "nowhere" does not exist/, 'dangling');
	await refused(TWO.replace('ca.pem', 'gone.pem'), /ENOENT: \/k\/gone.pem/);
	await refused(TWO.replace('https://127.0.0.1:6443', 'nonsense'), /no usable server address/);
	await refused(TWO.replace('tokenFile: secret/token', 'exec: {command: aws}'), /authenticates with "exec"/);
	await refused(
		TWO.replace(`${btoa('CERT')}`, '"%%"'),
		/client-certificate-data of "u2" is not base64/,
		'two',
	);
});
