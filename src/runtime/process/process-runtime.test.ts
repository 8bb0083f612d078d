import { runtimeContract } from '../testing/contract-suite.ts';
import { openHost } from './testing/host-harness.ts';

runtimeContract('host processes', async () => openHost());
