import { nameOf } from '../cluster/cluster.ts';
import { type Predicate, refusedFor } from './predicate.ts';

const REFUSAL = refusedFor("node(s) didn't match the requested node name");

/** A Pod with `spec.nodeName` runs only on that node (upstream: nodename). */
export const nodeName: Predicate = {
	name: 'NodeName',
	retryOn: ['node-added'],
	prepare: ({ spec: { nodeName: wanted } }) =>
		wanted
			? { kind: 'check', refusal: ({ node }) => (nameOf(node) === wanted ? undefined : REFUSAL) }
			: undefined,
};
