import { untoleratedTaint } from '../taints.ts';
import { type Predicate, refusedFor } from './predicate.ts';

const REFUSAL = refusedFor('node(s) had untolerated taint(s)');

/** The Pod must tolerate the node's NoSchedule and NoExecute taints (upstream: tainttoleration). */
export const taintToleration: Predicate = {
	name: 'TaintToleration',
	retryOn: ['node-added', 'node-taints'],
	prepare: ({ spec: { tolerations } }) => ({
		kind: 'check',
		refusal: ({ node }) => (untoleratedTaint(node.spec.taints, tolerations) ? REFUSAL : undefined),
	}),
};
