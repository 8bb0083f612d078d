import assert from 'node:assert/strict';
import test from 'node:test';
import { parse } from 'yaml';
import { writeKubeconfig } from './kubeconfig.ts';
import { updateKubeconfig } from './kubeconfig-update.ts';

const ACCESS = { name: 'stint', server: 'https://127.0.0.1:6443', certificateAuthority: 'CA', token: 'new' };

/** The file that `kubectl config set-context --current --namespace=demo` writes, with another cluster. */
const EDITED = `# mine
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: b2xk
    server: https://127.0.0.1:1
  name: stint
- cluster:
    server: https://example.com
  name: work
contexts:
- context:
    cluster: stint
    namespace: demo
    user: stint
  name: stint
- context:
    cluster: work
    user: me
  name: work
current-context: work
kind: Config
preferences: {}
users:
- name: stint
  user:
    token: old
- name: me
  user:
    token: secret
`;

test('a missing, empty or unchanged file becomes the text of writeKubeconfig', async () => {
	const own = writeKubeconfig(ACCESS);
	for (const before of [undefined, '', '\n', own])
		assert.deepEqual(await updateKubeconfig(before, ACCESS), { text: own });
});

test('a file written for an earlier address, token or socket is replaced without a YAML library', async () => {
	const earlier = writeKubeconfig({ ...ACCESS, server: 'https://127.0.0.1:1', token: 'old', socket: '/s' });
	assert.deepEqual(await updateKubeconfig(earlier, ACCESS), { text: writeKubeconfig(ACCESS) });
	assert.match((await updateKubeconfig(`# mine\n${earlier}`, ACCESS)).text, /^# mine\n/);
	const other = writeKubeconfig({ ...ACCESS, name: 'other' });
	assert.match((await updateKubeconfig(other, ACCESS)).text, /name: "?other/);
});

test('the socket is updated and removed with the cluster, and kubectl may have reordered the file', async () => {
	const { text } = await updateKubeconfig(EDITED, { ...ACCESS, socket: '/new/api.sock' });
	const [, own] = parse(text).clusters;
	const extension = { socket: '/new/api.sock', server: ACCESS.server };
	assert.deepEqual(own.cluster.extensions, [{ name: 'stint', extension }]);
	assert.equal(parse((await updateKubeconfig(text, ACCESS)).text).clusters[1].cluster.extensions, undefined);
});

test("only the server's own cluster and user are replaced", async () => {
	const { text, replaced } = await updateKubeconfig(EDITED, ACCESS);
	assert.equal(replaced, undefined);
	const wanted = parse(EDITED);
	wanted.clusters[0].cluster = { server: ACCESS.server, 'certificate-authority-data': btoa('CA') };
	wanted.users[0].user = { token: 'new' };
	const byName = (config: Record<string, { readonly name: string }[]>): unknown => ({
		...config,
		clusters: config.clusters?.toSorted((a, b) => a.name.localeCompare(b.name)),
		users: config.users?.toSorted((a, b) => a.name.localeCompare(b.name)),
	});
	assert.deepEqual(byName(parse(text)), byName(wanted));
	assert.match(text, /^# mine\n/);
});

test('a second update changes nothing', async () => {
	const { text } = await updateKubeconfig(EDITED, ACCESS);
	assert.equal((await updateKubeconfig(text, ACCESS)).text, text);
});

test('a missing context is added, and current-context is set only if it is missing', async () => {
	const others = 'apiVersion: v1\nkind: Config\nclusters: []\ncontexts: null\n';
	const config = parse((await updateKubeconfig(others, ACCESS)).text);
	assert.equal(config['current-context'], 'stint');
	assert.deepEqual(config.contexts, [{ name: 'stint', context: { cluster: 'stint', user: 'stint' } }]);
});

test('a file that is no kubeconfig is replaced, and the reason is returned', async () => {
	for (const before of ['{', '- a', 'text', '\u0000\u0001']) {
		const { text, replaced } = await updateKubeconfig(before, ACCESS);
		assert.equal(text, writeKubeconfig(ACCESS));
		assert.ok(replaced, before);
	}
});
