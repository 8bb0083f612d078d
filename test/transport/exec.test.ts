import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execContract } from '../../src/apiserver/testing/exec-contract-suite.ts';
import { listenTo, testCredentials } from '../../src/apiserver/testing/https-test-client.ts';
import { portsContract } from '../../src/apiserver/testing/ports-contract-suite.ts';
import type { TestConnection, TestServer } from '../../src/apiserver/testing/server-contract-suite.ts';
import { HttpTransport, type HttpTransportOptions } from '../../src/client/transport/http-node.ts';

execContract('exec by the client over HTTPS', (opened) => connect(opened));
portsContract('ports by the client over HTTPS', (opened) => connect(opened));
execContract('exec by the client at the Unix socket', connectLocally);
portsContract('ports by the client at the Unix socket', connectLocally);
execContract('exec by the client once no server listens at the socket', (opened) =>
	connect(opened, { socket: join(tmpdir(), 'stint-no-such-folder', 'api.sock') }),
);

async function connect(opened: TestServer, options: HttpTransportOptions = {}): Promise<TestConnection> {
	const listener = await listenTo(opened);
	const { caPem, token } = await testCredentials();
	const access = { server: listener.url, namespace: 'default', certificateAuthority: caPem, token };
	const transport = new HttpTransport(access, options);
	const close = async (): Promise<void> => {
		transport.close();
		await listener.close();
	};
	return { transport, close };
}

/** The transport fails if it uses TLS, so that only the socket can have served it. */
async function connectLocally(opened: TestServer): Promise<TestConnection> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-socket-'));
	const socket = join(folder, 'api.sock');
	const listener = await listenTo(opened);
	assert.equal(await listener.openLocal(socket), undefined);
	const { token } = await testCredentials();
	const beforeTls = (): void => assert.fail('the client uses TLS');
	const access = { server: listener.url, namespace: 'default', token };
	const transport = new HttpTransport(access, { socket, beforeTls });
	const close = async (): Promise<void> => {
		transport.close();
		await listener.close();
		rmSync(folder, { recursive: true });
	};
	return { transport, close };
}
