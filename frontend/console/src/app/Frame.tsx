/** The frame around every page: menu on the left, scope and tools on top. */
import { MenuOutlined } from "@ant-design/icons";
import { Button, Grid, Layout, Menu, Spin } from "antd";
import { Suspense, useEffect, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, Navigate, Route, Routes, useLocation } from "react-router";
import { Empty } from "../parts/Empty";
import { ErrorBoundary } from "../parts/Failure";
import { SideDrawer } from "../parts/SideDrawer";
import { AccountMenu } from "./AccountMenu";
import { Bell } from "./Bell";
import { LiveContext, useListening } from "./events";
import { bringAhead, firstPage, pagesFor, type Page } from "./pages";
import { ScopeBar } from "./ScopeBar";
import { addressOf, useScope } from "./scope";
import { Search } from "./Search";
import type { Session } from "./session";

export function Frame({ session }: { session: Session }) {
  const { t } = useTranslation();
  const wide = Grid.useBreakpoint().lg ?? true;
  const [open, setOpen] = useState(false);
  const { pathname, search } = useLocation();
  const pages = useMemo(() => pagesFor(session.actions), [session.actions]);
  useEffect(() => bringAhead(pages), [pages]);
  const here = pages.find((page) => page.path === pathname);
  const first = firstPage(pages, session.roles);
  const scoped = session.actions.includes("catalog.read");
  const live = useListening(true);
  const menu = <SideMenu pages={pages} here={here} onChosen={() => setOpen(false)} />;
  return (
    <LiveContext value={live}>
      <a className="skip" href="#content">
        {t("frame.skip")}
      </a>
      <Layout className="frame">
        {wide ? (
          <Layout.Sider width={208} className="frame-side">
            <Brand />
            {menu}
          </Layout.Sider>
        ) : (
          <SideDrawer
            open={open}
            onClose={() => setOpen(false)}
            placement="left"
            size={240}
            title={t("frame.menu")}
            className="frame-menu-drawer"
          >
            {menu}
          </SideDrawer>
        )}
        <Layout>
          <Layout.Header className="frame-top">
            {!wide && (
              <Button
                type="text"
                icon={<MenuOutlined />}
                aria-label={t("frame.menu")}
                onClick={() => setOpen(true)}
              />
            )}
            {scoped && <ScopeBar />}
            <div className="frame-tools">
              {scoped && <Search />}
              <Bell />
              <AccountMenu session={session} />
            </div>
          </Layout.Header>
          <Layout.Content className="frame-page" id="content" tabIndex={-1} role="main">
            <ErrorBoundary key={pathname}>
              <Suspense fallback={<Spin className="page-wait" />}>
                <Routes>
                  {pages.map(({ path, View }) => (
                    <Route key={path} path={path} element={<View />} />
                  ))}
                  {first && (
                    <Route path="/" element={<Navigate to={first.path + search} replace />} />
                  )}
                  <Route
                    path="*"
                    element={<Empty page what={t("frame.noPage")} todo={t("frame.noPageTodo")} />}
                  />
                </Routes>
              </Suspense>
            </ErrorBoundary>
          </Layout.Content>
        </Layout>
      </Layout>
    </LiveContext>
  );
}

function Brand() {
  return (
    <div className="brand">
      <img src="/icon.svg" alt="" width={26} height={26} />
      <span>sanhe 三合</span>
    </div>
  );
}

function SideMenu(props: { pages: Page[]; here?: Page; onChosen: () => void }) {
  const { t } = useTranslation();
  const { shared } = useScope();
  const groups = ["decide", "sell", "understand", "keep"] as const;
  const items = groups.flatMap((group) => {
    const children = props.pages
      .filter((page) => page.group === group)
      .map((page) => ({
        key: page.name,
        icon: page.icon,
        label: (
          <Link
            to={addressOf(page.path, shared)}
            onPointerEnter={() => page.ahead(shared)}
            onFocus={() => page.ahead(shared)}
          >
            {t(`page.${page.name}`)}
          </Link>
        ),
      }));
    return children.length
      ? [{ key: group, type: "group" as const, label: t(`group.${group}`), children }]
      : [];
  });
  return (
    <nav aria-label={t("frame.menu")}>
      <Menu
        mode="inline"
        selectedKeys={props.here ? [props.here.name] : []}
        items={items}
        onClick={props.onChosen}
        className="side-menu"
      />
    </nav>
  );
}
