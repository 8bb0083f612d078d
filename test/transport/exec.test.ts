import { execContract } from '../../src/apiserver/testing/exec-contract-suite.ts';
import { listenTo, testCredentials } from '../../src/apiserver/testing/https-test-client.ts';
import { portsContract } from '../../src/apiserver/testing/ports-contract-suite.ts';
import type { TestConnection, TestServer } from '../../src/apiserver/testing/server-contract-suite.ts';
import { HttpTransport } from '../../src/client/transport/http-node.ts';

execContract('exec by the client over HTTPS', connect);
portsContract('ports by the client over HTTPS', connect);

async function connect(opened: TestServer): Promise<TestConnection> {
	const listener = await listenTo(opened);
	const { caPem, token } = await testCredentials();
	const access = { server: listener.url, namespace: 'default', certificateAuthority: caPem, token };
	const transport = new HttpTransport(access);
	const close = async (): Promise<void> => {
		transport.close();
		await listener.close();
	};
	return { transport, close };
}
