/** What is done for each test of components: nothing of one is left in the document for the next. */
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);
