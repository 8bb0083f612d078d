import type { BlockList } from 'node:net';

/** Adds a range such as `10.244.0.0/16` to a list of addresses. */
export function addRange(list: BlockList, range: string): void {
	const [network = '', length] = range.split('/');
	list.addSubnet(network, Number(length));
}
