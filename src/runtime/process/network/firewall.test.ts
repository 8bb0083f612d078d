import assert from 'node:assert/strict';
import test from 'node:test';
import { iptablesRules, nftRules } from './firewall.ts';

const NETWORK = { bridge: 'stint3', range: '10.244.0.0/16', onlyPods: false };

test('iptables drops what other machines send to Pods, and gives Pods the address of the machine', () => {
	assert.deepEqual(iptablesRules(NETWORK).trimEnd().split('\n'), [
		'*nat',
		':stint3-nat - [0:0]',
		'-A stint3-nat ! -d 10.244.0.0/16 ! -o stint3 -j MASQUERADE',
		'-A POSTROUTING -s 10.244.0.0/16 -j stint3-nat',
		'COMMIT',
		'*filter',
		':stint3-forward - [0:0]',
		'-A stint3-forward -i stint3 -o stint3 -j ACCEPT',
		'-A stint3-forward -i stint3 ! -o stint+ -j ACCEPT',
		'-A stint3-forward -o stint3 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
		'-A stint3-forward -o stint3 -j DROP',
		'-I FORWARD 1 -j stint3-forward',
		'COMMIT',
	]);
});

test('a machine that forwards packets only for stint drops all others, with each program', () => {
	const network = { ...NETWORK, onlyPods: true };
	assert.match(iptablesRules(network), /-A stint3-forward ! -i stint\+ ! -o stint\+ -j DROP/);
	assert.doesNotMatch(nftRules(NETWORK), /stint\*/);
	assert.match(nftRules(network), /iifname != "stint\*" oifname != "stint\*" drop/);
});

test('nftables has the same rules, in a table with the name of the bridge', () => {
	const rules = nftRules(NETWORK);
	assert.match(rules, /^table ip stint3 \{/);
	assert.match(
		rules,
		/ip saddr 10\.244\.0\.0\/16 ip daddr != 10\.244\.0\.0\/16 oifname != "stint3" masquerade/,
	);
	assert.match(rules, /oifname "stint3" ct state established,related accept\noifname "stint3" drop/);
});

test('only this machine and the Pods of the bridge reach the addresses of Services, with each program', () => {
	const network = { ...NETWORK, services: '10.96.0.0/16' };
	assert.deepEqual(iptablesRules(network).trimEnd().split('\n').slice(-7), [
		':stint3-input - [0:0]',
		'-A stint3-input ! -d 10.96.0.0/16 -j RETURN',
		'-A stint3-input -i lo -j ACCEPT',
		'-A stint3-input -i stint3 -j ACCEPT',
		'-A stint3-input -j DROP',
		'-I INPUT 1 -j stint3-input',
		'COMMIT',
	]);
	assert.doesNotMatch(nftRules(NETWORK), /input/);
	assert.match(
		nftRules(network),
		/chain input \{\ntype filter hook input priority 0;\nip daddr 10\.96\.0\.0\/16 iifname != \{ "lo", "stint3" \} drop\n\}/,
	);
});
