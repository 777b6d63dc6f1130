import dayjs from "dayjs";

dayjs.locale("en");
export { default } from "antd/locale/en_US";
