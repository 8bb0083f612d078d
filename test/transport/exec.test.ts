import { execContract } from '../../src/apiserver/testing/exec-contract-suite.ts';
import { listenTo, testCredentials } from '../../src/apiserver/testing/https-test-client.ts';
import { HttpTransport } from '../../src/client/transport/http-node.ts';

execContract('exec by the client over HTTPS', async (opened) => {
	const listener = await listenTo(opened);
	const { caPem, token } = await testCredentials();
	const access = { server: listener.url, namespace: 'default', certificateAuthority: caPem, token };
	const transport = new HttpTransport(access);
	const close = async (): Promise<void> => {
		transport.close();
		await listener.close();
	};
	return { transport, close };
});
