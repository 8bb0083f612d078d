import assert from 'node:assert/strict';
import test from 'node:test';
import { podWith } from '../../plan/pod/testing/pod-with.ts';
import { NetworkFiles, type NetworkFilesOptions } from './network-files.ts';
import { hostOf } from './testing/volume-host.ts';

async function written(
	spec: object,
	how: { readonly traits: NetworkFilesOptions['traits']; readonly clusterDns?: readonly string[] },
): Promise<{
	readonly steps: readonly string[];
	readonly events: readonly string[];
	readonly files: object;
}> {
	const steps: string[] = [];
	const events: string[] = [];
	const files = new NetworkFiles({
		volumes: hostOf(steps),
		traits: how.traits,
		clusterDns: () => how.clusterDns ?? [],
		serviceNames: (namespace) => [{ address: '127.70.0.5', names: [`queue.${namespace}`] }],
		record: (_, { reason }) => void events.push(reason),
	});
	return { files: await files.write(podWith(spec), '10.1.0.1'), steps, events };
}

const DNS_CONFIG = { nameservers: ['192.0.2.7'] };

test('the file for name resolution is written for each Pod, if containers do not see that of the node', async () => {
	const { files, steps } = await written({}, { traits: { hostsFile: 'pod', resolvConf: 'always' } });
	assert.deepEqual(files, { hostsFile: '/u/etc-hosts', resolvConf: '/u/etc-resolv-conf' });
	assert.deepEqual(steps, ['hosts # Kubernetes-managed hosts file.', 'resolv.conf nameserver 192.0.2.1']);
});

test('otherwise, it is written for a Pod that resolves names in another way', async () => {
	const traits = { resolvConf: 'if-other' } as const;
	assert.deepEqual((await written({}, { traits })).files, {});
	assert.deepEqual((await written({ dnsConfig: DNS_CONFIG }, { traits })).steps, [
		'resolv.conf nameserver 192.0.2.1\nnameserver 192.0.2.7',
	]);
	const { steps } = await written({}, { traits, clusterDns: ['10.96.0.10'] });
	assert.match(steps.join(), /nameserver 10\.96\.0\.10/);
});

test('a runtime that leaves no file to the node gets none', async () => {
	const { files, steps } = await written({ dnsConfig: DNS_CONFIG }, { traits: {} });
	assert.deepEqual([files, steps], [{}, []]);
});

test('an Event reports a limit that was exceeded', async () => {
	const dnsConfig = { nameservers: ['192.0.2.7', '192.0.2.8', '192.0.2.9'] };
	const { events } = await written({ dnsConfig }, { traits: { resolvConf: 'always' } });
	assert.deepEqual(events, ['DNSConfigForming']);
});

test('the hosts file has the names of Services for Pods that resolve names of the cluster', async () => {
	const traits = { hostsFile: 'pod', podNetwork: { kind: 'host' } } as const;
	const texts: string[] = [];
	const volumes = { ...hostOf([]), writeHosts: async (_: string, text: string) => `/${texts.push(text)}` };
	const files = new NetworkFiles({
		volumes,
		traits,
		clusterDns: () => [],
		serviceNames: (namespace) => [{ address: '127.70.0.5', names: [`queue.${namespace}`, 'queue'] }],
		record: () => {},
	});
	for (const spec of [{}, { dnsPolicy: 'Default' }, { hostNetwork: true }])
		await files.write(podWith(spec), '10.1.0.1');
	await files.rewriteHosts(podWith({}));
	assert.deepEqual(
		texts.map((text) => /^127\.70\.0\.5\tqueue\.\S+\tqueue$/m.test(text)),
		[true, false, false, true],
	);
});
