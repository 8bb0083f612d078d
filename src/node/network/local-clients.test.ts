import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import test from 'node:test';
import { VirtualClock } from '../../base/testing/virtual-clock.ts';
import { LocalClients } from './local-clients.ts';

function at(cidr: string): NetworkInterfaceInfo {
	const [address = ''] = cidr.split('/');
	return { address, cidr, family: 'IPv4', netmask: '', mac: '', internal: false };
}

test('only this machine and the Pods of its bridges are served', () => {
	const clock = new VirtualClock();
	const interfaces: Record<string, NetworkInterfaceInfo[]> = {
		eth0: [at('192.0.2.7/24')],
		stint3: [at('10.244.0.1/16')],
		stintish: [at('10.9.0.1/16')],
	};
	const sockets = { isPod: (address: string) => address.startsWith('10.245.') };
	const serviceRange = '10.96.0.0/16';
	const clients = new LocalClients({ clock, serviceRange, sockets, interfaces: () => interfaces });
	const served = [
		'127.0.0.1',
		'127.3.4.5',
		'192.0.2.7',
		'10.244.7.7',
		'10.96.0.10',
		'10.9.0.1',
		'10.245.0.9',
	];
	for (const address of served) assert.ok(clients.serves(address), address);
	for (const address of ['192.0.2.8', '10.9.0.2', '10.97.0.1', '8.8.8.8'])
		assert.ok(!clients.serves(address), address);
	interfaces.eth1 = [at('8.8.8.8/32')];
	clock.advance(2000);
	assert.ok(clients.serves('8.8.8.8'), 'an address that this machine has got meanwhile');
});
