import { runtimeContract } from '../testing/contract-suite.ts';
import { openHost } from './testing/host-harness.ts';

runtimeContract('host processes by the shim', async () => openHost());
runtimeContract('host processes as children of the launcher', async () => openHost({ withoutShim: true }));
