import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeAuthority, makeServerCertificate } from '../../apiserver/http/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'stint-authorities-'));
const caPath = join(folder, 'ca.crt');
let server: Server;
let url: string;

before(async () => {
	const authority = makeAuthority(Date.now());
	const { certificatePem: cert, keyPem: key } = makeServerCertificate(authority, Date.now());
	writeFileSync(caPath, authority.certificatePem);
	server = createServer({ cert, key }, (_request, response) => response.end('{"kind":"Fine"}'));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	url = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
after(() => {
	server.close();
	rmSync(folder, { recursive: true });
});

/**
 * The output of a separate process that sends a request as the commands do, with this access and environment.
 * Separate, since the trusted authorities are a setting of the whole process.
 */
function ask(
	access: { readonly certificateAuthority?: string; readonly skipTlsVerify?: boolean },
	env: NodeJS.ProcessEnv = {},
): Promise<string> {
	const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
	const script = `
		import { readFileSync } from 'node:fs';
		import { getCACertificates } from 'node:tls';
		import { HttpTransport } from ${module('../../client/transport/http-node.ts')};
		import { trustNamedAuthoritiesOnly } from ${module('./trusted-authorities.ts')};
		trustNamedAuthoritiesOnly();
		if (getCACertificates('default').length > 0) console.log('there are default authorities');
		const access = { server: ${JSON.stringify(url)}, namespace: 'default', ...${JSON.stringify(access)} };
		if (access.certificateAuthority) access.certificateAuthority = readFileSync(access.certificateAuthority, 'utf8');
		const transport = new HttpTransport(access);
		await transport.request({ method: 'GET', path: '/' }).then(
			({ object }) => console.log(object.kind),
			(error) => console.log(error.message),
		);
		transport.close();
	`;
	const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
	return new Promise((resolve, reject) => {
		execFile(process.execPath, args, { env: { PATH: process.env.PATH, ...env } }, (error, stdout) =>
			error ? reject(error) : resolve(stdout.trim()),
		);
	});
}

test('a client trusts the authority in its kubeconfig', async () => {
	assert.equal(await ask({ certificateAuthority: caPath }), 'Fine');
});

test('without an authority in the kubeconfig, a client trusts only those of the system', async () => {
	assert.match(await ask({}), /certificate signed by unknown authority/);
	assert.equal(await ask({}, { SSL_CERT_FILE: caPath }), 'Fine');
	assert.equal(await ask({}, { NODE_EXTRA_CA_CERTS: caPath }), 'Fine');
	assert.match(await ask({ certificateAuthority: caPath }, { SSL_CERT_FILE: '/dev/null' }), /^Fine$/);
});

test('with verification disabled, a client needs no authority', async () => {
	assert.equal(await ask({ skipTlsVerify: true }), 'Fine');
});
