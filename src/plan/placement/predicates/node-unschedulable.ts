import type { Taint } from '../../../api/core/node/schema.ts';
import { UNSCHEDULABLE_TAINT } from '../../../api/core/node/taints.ts';
import { untoleratedTaint } from '../taints.ts';
import { type Predicate, refusedFor } from './predicate.ts';

const TAINT: Taint = { key: UNSCHEDULABLE_TAINT, effect: 'NoSchedule' };
const REFUSAL = refusedFor('node(s) were unschedulable');

/** A node with `spec.unschedulable` accepts only Pods that tolerate its taint (upstream: nodeunschedulable). */
export const nodeUnschedulable: Predicate = {
	name: 'NodeUnschedulable',
	retryOn: ['node-added', 'node-taints'],
	prepare: ({ spec: { tolerations } }) => ({
		kind: 'check',
		refusal: ({ node }) =>
			node.spec.unschedulable && untoleratedTaint([TAINT], tolerations) ? REFUSAL : undefined,
	}),
};
