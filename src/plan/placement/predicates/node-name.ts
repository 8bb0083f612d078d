import { nameOf } from '../cluster.ts';
import { type Predicate, refusedFor } from './predicate.ts';

const REFUSAL = refusedFor("node(s) didn't match the requested node name");

/** A Pod that names its node runs on no other (upstream: nodename). */
export const nodeName: Predicate = {
	name: 'NodeName',
	helpedBy: ['node-added'],
	prepare: ({ spec: { nodeName: wanted } }) =>
		wanted
			? { kind: 'check', refusal: ({ node }) => (nameOf(node) === wanted ? undefined : REFUSAL) }
			: undefined,
};
